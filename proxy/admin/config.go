package admin

// A Config is what the operators' listener can be told.
type Config struct {
	// Profiling adds /debug/pprof/. Whoever reaches it can slow the gateway down
	// and read what is in its memory.
	Profiling bool `yaml:"profiling"`
}

// Check returns all mistakes; there is none that could be made.
func (Config) Check() error { return nil }
