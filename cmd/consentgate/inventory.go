package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/proxy/inventory"
)

type inventoryOptions struct {
	admin, data, config, site string
	json                      bool
}

func (o *inventoryOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.admin, "admin", "", "ask the running gateway at the `ADDR` of its --admin")
	f.StringVar(&o.data, "data", "", "read what was saved last in the data `DIR` of the gateway; data, where no file says otherwise")
	f.StringVar(&o.config, "config", "", "the gateway's configuration `FILE`, which says where the data folder is")
	f.StringVar(&o.site, "site", "", "only the site with this `NAME`")
	f.BoolVar(&o.json, "json", false, "everything, as JSON")
}

func inventoryCommand(c console, args []string) int {
	var o inventoryOptions
	rest, code, ok := parse(c, "inventory", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) > 0:
		return misuse(c, "inventory", "what is %q?", rest[0])
	case o.admin != "" && o.data+o.config != "":
		return misuse(c, "inventory", "say --admin, or where the data folder is, but not both")
	}
	conf := config{}
	if o.config != "" {
		if conf, ok = readConfig(c, o.config); !ok {
			return exitUsage
		}
	}
	conf.Data = cmp.Or(o.data, conf.Data)
	file, err := o.read(conf.inventoryFile())
	if err != nil {
		return failed(c, "inventory", err)
	}
	if file, ok = only(file, o.site); !ok {
		return misuse(c, "inventory", "--site: nothing is known of %q", o.site)
	}
	if o.json {
		err = writeJSON(c.out, file)
	} else {
		err = printInventory(c.out, file)
	}
	if err != nil {
		return failed(c, "inventory", err)
	}
	return exitFine
}

func (o *inventoryOptions) read(path string) (inventory.File, error) {
	if o.admin != "" {
		return askInventory(o.admin)
	}
	file, err := inventory.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file, fmt.Errorf("%w: a gateway saves it a minute after it has seen something", err)
	}
	return file, err
}

// largestInventory is more than any gateway has to tell.
const largestInventory = 256 << 20

// askInventory asks a running gateway by its operators' address.
func askInventory(admin string) (inventory.File, error) {
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(opsURL(admin, "/inventory"))
	if err != nil {
		return inventory.File{}, fmt.Errorf("ask the gateway: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return inventory.File{}, fmt.Errorf("ask the gateway: it answers %s", res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, largestInventory))
	if err != nil {
		return inventory.File{}, fmt.Errorf("ask the gateway: %w", err)
	}
	return inventory.Parse(text)
}

// only leaves one site, or all where none is named.
func only(file inventory.File, site string) (inventory.File, bool) {
	if site == "" {
		return file, true
	}
	snapshot, ok := file.Sites[site]
	file.Sites = map[string]inventory.Snapshot{site: snapshot}
	return file, ok
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printInventory(w io.Writer, file inventory.File) error {
	for i, name := range slices.Sorted(maps.Keys(file.Sites)) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := printSite(w, name, file.Sites[name]); err != nil {
			return err
		}
	}
	return nil
}

// inventoryFile is where what was seen is saved.
func (c config) inventoryFile() string { return filepath.Join(c.data(), "inventory.json") }

// saveEvery is how much of the inventory a crash may cost.
const saveEvery = time.Minute

// openInventory opens the inventory of a gateway. Whoever opens it saves it.
func openInventory(path string, log zerolog.Logger) (*inventory.Store, error) {
	store, aside, err := inventory.Open(path, nil)
	if err != nil {
		return nil, err
	}
	if aside != "" {
		log.Warn().Str("file", aside).Msg("the inventory could not be read; it is kept under this name, and a new one is begun")
	}
	return store, nil
}
