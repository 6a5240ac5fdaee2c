package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/store"
)

// EnvPrefix begins the name of every environment variable that is an option.
const EnvPrefix = "NACRE_"

// notOptions are the variables of the tests and the bench that bear the prefix.
var notOptions = []string{"NACRE_REDIS_SERVER", "NACRE_LONG"}

// FromEnv reads a configuration from the environment: the option
// database.host is NACRE_DATABASE_HOST, tick_capacity is NACRE_TICK_CAPACITY.
// Lists are separated by commas, ttl is a list of name=duration. NACRE_REDIS_URL
// stands for the whole of database: see [URL]. A variable that is set to
// nothing is not given; one with the prefix that is no option is an error.
func FromEnv() (store.Config, error) {
	var cfg store.Config
	options := map[string]reflect.Value{}
	leaves(reflect.ValueOf(&cfg).Elem(), EnvPrefix, options)

	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("config: %s: %s", name, fmt.Sprintf(format, args...)))
	}
	var url string
	var database []string
	environ := os.Environ()
	slices.Sort(environ)
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, EnvPrefix) || slices.Contains(notOptions, name) || text == "" {
			continue
		}
		if name == EnvPrefix+"REDIS_URL" {
			url = text
			continue
		}
		v, ok := options[name]
		if !ok {
			bad(name, "unknown option%s", hint(name, options))
			continue
		}
		if strings.HasPrefix(name, EnvPrefix+"DATABASE_") {
			database = append(database, name)
		}
		if err := setFlat(v, text); err != nil {
			bad(name, "%v", err)
		}
	}
	if url != "" {
		if len(database) > 0 {
			bad(EnvPrefix+"REDIS_URL", "contradicts %s", strings.Join(database, ", "))
		}
		var err error
		if cfg.Database, err = URL(url); err != nil {
			bad(EnvPrefix+"REDIS_URL", "%v", err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return store.Config{}, err
	}
	if err := cfg.Validate(); err != nil {
		return store.Config{}, err
	}
	return cfg, nil
}

// leaves collects every option of v by the name of its variable.
func leaves(v reflect.Value, prefix string, to map[string]reflect.Value) {
	for name, index := range optionsOf(v.Type()) {
		field, name := v.Field(index), prefix+strings.ToUpper(name)
		if field.Kind() == reflect.Struct {
			leaves(field, name+"_", to)
			continue
		}
		to[name] = field
	}
}

// setFlat sets an option, also a list or a map, from one line of text.
func setFlat(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.Slice:
		for part := range strings.SplitSeq(text, ",") {
			v.Set(reflect.Append(v, reflect.ValueOf(strings.TrimSpace(part))))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for part := range strings.SplitSeq(text, ",") {
			name, value, ok := strings.Cut(part, "=")
			if !ok {
				return fmt.Errorf("%q is not name=value", part)
			}
			v.SetMapIndex(reflect.ValueOf(strings.TrimSpace(name)), reflect.ValueOf(strings.TrimSpace(value)))
		}
	default:
		return setText(v, text)
	}
	return nil
}
