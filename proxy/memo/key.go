package memo

import (
	"crypto/aes"
	"crypto/cipher"
)

// A Secret keys the sums of a memo. Processes with the same secret have the same
// sums, so that an entity tag can be made of them.
type Secret [32]byte

// A Key names an input.
type Key struct {
	Sum     [16]byte // of the bytes; whoever knows sums of bytes he chose can forge others: show nobody
	Context string   // all else the result depends on: decision, language, revision, coding, ...
}

// A hasher makes sums. It is safe for concurrent use.
type hasher struct{ gcm cipher.AEAD }

func newHasher(secret Secret) hasher {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic(err) // it has 32 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // a block has 16
	}
	return hasher{gcm}
}

// sum is GMAC (NIST SP 800-38D) under one nonce for all. That is no signature to
// give away, but among sums that stay in the process it is a universal hash: two
// bodies of a megabyte, chosen by somebody who does not know the secret, have the
// same sum with a probability below 2^-111. It takes two thirds of BLAKE3's time.
func (h hasher) sum(body []byte) (sum [16]byte) {
	var nonce [12]byte
	h.gcm.Seal(sum[:0], nonce[:], nil, body)
	return sum
}

// KeyOf gives the key of an input.
func (m *Memo) KeyOf(context string, body []byte) Key {
	return Key{Sum: m.hasher.sum(body), Context: context}
}
