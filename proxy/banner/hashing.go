package banner

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A hashing turns host names into small numbers, as the guard does. With the names
// in full the guard would be twice as long.
type hashing struct {
	salt uint32
	size uint64 // of the numbers, which are below it
}

// How many numbers there are for each host. The fewest tell the hosts of the catalog
// apart by some salt. Where even many do not, more salts would not either: names that
// are equally long and look alike by one look alike by nearly all.
const (
	fewNumbers  = 240
	manyNumbers = 16 * fewNumbers
	salts       = 512
)

// newHashing finds one in which none of the hosts in others looks like one of
// own, nor does a domain above it. Hosts that are in neither list may: of those only
// pictures load, which may load anyway, and for the rest the policy holds. Should
// there be none, those of own that look like another are left out of the list.
func newHashing(own, others []string) (hashing, string) {
	others = append(slices.Clone(others), "") // is above all
	var h hashing
	for numbers := fewNumbers; numbers <= manyNumbers; numbers *= 4 {
		h.size = uint64(numbers * len(own))
		for h.salt = 1; h.salt <= salts; h.salt++ {
			if hashes := h.all(own); !h.mistakes(hashes, others) {
				return h, h.list(hashes, others)
			}
		}
	}
	hashes := h.all(own)
	for hash := range h.alike(hashes, others) {
		delete(hashes, hash)
	}
	return h, h.list(hashes, others)
}

// all gives each hash with a name that has it.
func (h hashing) all(names []string) map[uint64]string {
	hashes := make(map[uint64]string, len(names))
	for _, name := range names {
		hashes[h.of(name)] = name
	}
	return hashes
}

func (h hashing) of(name string) uint64 {
	sum := h.salt
	for i := len(name) - 1; i >= 0; i-- {
		sum = sum*33 + uint32(name[i])
	}
	return uint64(sum) % h.size
}

// domains gives the hashes of a name and of all domains above it, from the top.
func (h hashing) domains(name string) iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		sum := h.salt
		for i := len(name) - 1; i >= 0; i-- {
			if name[i] == '.' && !yield(uint64(sum)%h.size, name[i+1:]) {
				return
			}
			sum = sum*33 + uint32(name[i])
		}
		yield(uint64(sum)%h.size, name)
	}
}

// alike gives those of the hashes that a host in others, or a domain above it, has
// although its name is another.
func (h hashing) alike(hashes map[uint64]string, others []string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, host := range others {
			for hash, name := range h.domains(host) {
				if own, ok := hashes[hash]; ok && own != name && !yield(hash) {
					return
				}
			}
		}
	}
}

func (h hashing) mistakes(hashes map[uint64]string, others []string) bool {
	for range h.alike(hashes, others) {
		return true
	}
	return false
}

// list writes hashes in order, each as what it is more than the one before, in two
// digits. Where that is too much it goes by numbers that no host in others has.
func (h hashing) list(hashes map[uint64]string, others []string) string {
	const most = 36*36 - 1
	var taken map[uint64]bool
	var list strings.Builder
	before := uint64(0)
	add := func(hash uint64) {
		list.WriteString(strconv.FormatUint(36*36+hash-before, 36)[1:])
		before = hash
	}
	for _, hash := range slices.Sorted(maps.Keys(hashes)) {
		for hash-before > most {
			if taken == nil {
				taken = h.taken(others)
			}
			step := before + most
			for taken[step] && step > before {
				step--
			}
			if step == before {
				return list.String() // nobody is let in by mistake
			}
			add(step)
		}
		add(hash)
	}
	return list.String()
}

func (h hashing) taken(hosts []string) map[uint64]bool {
	taken := map[uint64]bool{}
	for _, host := range hosts {
		for hash := range h.domains(host) {
			taken[hash] = true
		}
	}
	return taken
}
