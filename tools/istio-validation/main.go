// Validates VirtualServices and DestinationRules as Istio's own webhook does. Reads JSON objects, one per line, from the
// standard input; prints what is wrong with each, and exits with 1 if anything is.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/validation"
	"istio.io/istio/pkg/util/protomarshal"
)

type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Spec     json.RawMessage
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	count, failed := 0, false
	for lines.Scan() {
		count++
		if err := validate(lines.Bytes()); err != nil {
			failed = true
			fmt.Printf("%v\n  %s\n", err, lines.Text())
		}
	}
	if err := lines.Err(); err != nil || count == 0 || failed {
		fmt.Fprintf(os.Stderr, "istio-validation: %d objects, failed: %v, %v\n", count, failed, err)
		os.Exit(1)
	}
	fmt.Printf("istio-validation: %d objects are valid\n", count)
}

func validate(line []byte) error {
	var found object
	if err := json.Unmarshal(line, &found); err != nil {
		return err
	}
	meta := config.Meta{Name: found.Metadata.Name, Namespace: found.Metadata.Namespace}
	switch found.Kind {
	case "VirtualService":
		spec := &networking.VirtualService{}
		if err := protomarshal.ApplyJSONStrict(string(found.Spec), spec); err != nil {
			return err
		}
		_, err := validation.ValidateVirtualService(config.Config{Meta: meta, Spec: spec})
		return err
	case "DestinationRule":
		spec := &networking.DestinationRule{}
		if err := protomarshal.ApplyJSONStrict(string(found.Spec), spec); err != nil {
			return err
		}
		_, err := validation.ValidateDestinationRule(config.Config{Meta: meta, Spec: spec})
		return err
	}
	return fmt.Errorf("kind %q is not known here", found.Kind)
}
