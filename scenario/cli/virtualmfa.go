package cli

import (
	"reflect"
	"slices"
)

// A bootstrap says where the CLI saves what a new virtual MFA device is set up
// with: options that `iam create-virtual-mfa-device` has and the API has not. The
// answer is printed without it. AWS CLI Command Reference, "create-virtual-mfa-device".
type bootstrap struct{ file, method string }

var bootstrapMethods = []string{"QRCodePNG", "Base32StringSeed"}

// bootstraps reports whether the command has these options.
func (cmd *Command) bootstraps() bool {
	about := cmd.Operation.About()
	return about.Service.Name == "iam" && about.Name == "CreateVirtualMFADevice"
}

// bootstrapOption takes note of them.
func (cmd *Command) bootstrapOption(g given) (bool, error) {
	at := map[string]*string{"outfile": &cmd.bootstrap.file, "bootstrap-method": &cmd.bootstrap.method}[g.name]
	if at == nil || !cmd.bootstraps() {
		return false, nil
	}
	if len(g.values) != 1 || g.values[0] == "" {
		return true, usage("argument --%s: expected one argument", g.name)
	}
	*at = g.values[0]
	if g.name == "bootstrap-method" && !slices.Contains(bootstrapMethods, *at) {
		return true, usage("argument --bootstrap-method: Invalid choice: '%s'; maybe you meant: %s, %s", *at, bootstrapMethods[0], bootstrapMethods[1])
	}
	return true, nil
}

// lackingBootstrap names those that are absent.
func (cmd *Command) lackingBootstrap() []string {
	var names []string
	if cmd.bootstraps() && cmd.bootstrap.file == "" {
		names = append(names, "--outfile")
	}
	if cmd.bootstraps() && cmd.bootstrap.method == "" {
		names = append(names, "--bootstrap-method")
	}
	return names
}

// saveBootstrap writes the seed or its picture to the file, and takes both out of
// the answer.
func (cmd *Command) saveBootstrap(out any) error {
	device := reflect.ValueOf(out).Elem().FieldByName("VirtualMFADevice").Elem()
	data := device.FieldByName(cmd.bootstrap.method).Bytes()
	for _, method := range bootstrapMethods {
		device.FieldByName(method).SetZero()
	}
	return cmd.files.WriteFile(cmd.bootstrap.file, data)
}
