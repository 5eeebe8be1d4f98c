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
		if i == 0 || foldEqual(name, x.names[i]) {
			return i
		}
	}
}

// maxName is longer than any name in an index.
const maxName = 24

// hashName is the same for upper and lower case.
func hashName(name []byte) uint32 {
	h := uint32(len(name))
	for _, c := range name {
		h = h*31 + uint32(c|0x20)
	}
	return h ^ h>>10
}
