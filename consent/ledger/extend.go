package ledger

import "fmt"

// Continue moves the head of c over those of links, all of this chain and in
// order, that are not stored yet, and returns them. stored gives the hash of an
// entry of the chain between Base and Head. A chain that is still empty may
// begin anywhere.
func (c *Chain) Continue(links []Link, stored func(seq uint64) (Digest, error)) ([]Link, error) {
	if len(links) == 0 {
		return nil, nil
	}
	if c.Head == (Point{}) {
		c.Base = Point{Seq: links[0].Seq - 1, Hash: links[0].Prev}
		c.Head = c.Base
	}
	fresh, err := c.skip(links, stored)
	if err != nil {
		return nil, err
	}
	for _, l := range fresh {
		if err := c.Extend(l); err != nil {
			return nil, fmt.Errorf("extend chain of %s at %d: %w", c.Gateway, l.Seq, err)
		}
	}
	return fresh, nil
}

// skip returns the links after Head. It compares the last one that it skips:
// its hash stands for all before it.
func (c *Chain) skip(links []Link, stored func(seq uint64) (Digest, error)) ([]Link, error) {
	n := 0
	for n < len(links) && links[n].Seq <= c.Head.Seq {
		n++
	}
	if n == 0 || links[n-1].Seq <= c.Base.Seq {
		return links[n:], nil
	}
	last := links[n-1]
	hash, err := stored(last.Seq)
	if err != nil {
		return nil, err
	}
	if hash != last.Hash {
		return nil, fmt.Errorf("%w: entry %d of %s is stored with another hash", ErrFork, last.Seq, c.Gateway)
	}
	return links[n:], nil
}
