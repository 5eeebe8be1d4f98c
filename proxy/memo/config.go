package memo

import (
	"errors"

	"github.com/numfocus/consentgate/consent"
)

const defaultMemory = 64

// Config says how much is remembered.
type Config struct {
	Memory int  `yaml:"memory"` // MiB; zero: 64
	Off    bool `yaml:"off"`    // remember nothing
}

// Check looks for mistakes and changes nothing.
func (c Config) Check() error {
	if c.Memory < 0 {
		return errors.Join(consent.Mistake{
			Field: "memory", Problem: "is less than nothing", Cure: "give a number of MiB, or set off: true to remember nothing",
		})
	}
	return nil
}

func (c Config) bytes() int64 {
	switch {
	case c.Off:
		return 0
	case c.Memory == 0:
		return defaultMemory << 20
	}
	return int64(c.Memory) << 20
}
