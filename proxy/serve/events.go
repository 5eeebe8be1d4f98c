package serve

import (
	"maps"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// eventCore turns what certmagic logs into Events, so that there is one log.
type eventCore struct {
	tell   func(Event)
	fields map[string]any
}

func newZap(tell func(Event)) *zap.Logger { return zap.New(eventCore{tell: tell}) }

func (c eventCore) Enabled(l zapcore.Level) bool { return l >= zapcore.InfoLevel }

func (c eventCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = c.encode(fields)
	return c
}

func (c eventCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(e.Level) {
		return checked
	}
	return checked.AddCore(e, c)
}

func (c eventCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	c.tell(Event{Level: levelOf(e.Level), Text: "certificates: " + e.Message, Fields: c.encode(fields)})
	return nil
}

func (c eventCore) Sync() error { return nil }

// encode adds fields to those of the core, without what says who a visitor is.
func (c eventCore) encode(fields []zapcore.Field) map[string]any {
	encoder := zapcore.NewMapObjectEncoder()
	maps.Copy(encoder.Fields, c.fields)
	for _, f := range fields {
		switch f.Key {
		case "remote", "remote_ip", "remote_port", "remote_addr", "user_agent":
		default:
			f.AddTo(encoder)
		}
	}
	return encoder.Fields
}

func levelOf(l zapcore.Level) Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return Error
	case l == zapcore.WarnLevel:
		return Warn
	}
	return Info
}
