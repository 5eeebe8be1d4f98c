package rewrite

// A nameIndex finds a short list of lower-case names by hash. It is made once
// and never changes.
type nameIndex struct {
	names []string // from 1; the place is the answer
	slots [1024]uint8
}

var (
	tagIndex  = newNameIndex(elementNames())
	attrIndex = newNameIndex(attrNames[:])
)

func elementNames() []string {
	names := make([]string, len(elements))
	for i, e := range elements {
		names[i] = e.name
	}
	return names
}

func newNameIndex(names []string) *nameIndex {
	x := &nameIndex{names: names}
	for i := 1; i < len(names); i++ {
		at := hashName([]byte(names[i])) % uint32(len(x.slots))
		for x.slots[at] != 0 {
			at = (at + 1) % uint32(len(x.slots))
		}
		x.slots[at] = uint8(i)
	}
	return x
}

// find gives the place of a name in any case, 0 for none.
func (x *nameIndex) find(name []byte) uint8 {
	if len(name) > maxName {
		return 0
	}
	for at := hashName(name) % uint32(len(x.slots)); ; at = (at + 1) % uint32(len(x.slots)) {
		i := x.slots[at]
		if i == 0 || sameName(name, x.names[i]) {
			return i
		}
	}
}

func sameName(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if c != s[i] && lower(c) != s[i] {
			return false
		}
	}
	return true
}

// maxName is longer than any name in an index.
const maxName = 24

// hashName is the same for upper and lower case. The length and three letters
// tell nearly all names apart.
func hashName(name []byte) uint32 {
	n := uint32(len(name))
	if n == 0 {
		return 0
	}
	first, middle, last := name[0]|0x20, name[n/2]|0x20, name[n-1]|0x20
	return n ^ uint32(first)<<1 ^ uint32(middle)<<3 ^ uint32(last)<<5
}
