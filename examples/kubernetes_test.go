package examples_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const kubernetes = "kubernetes/"

// TestManifests has the types of Kubernetes read the manifests, every field
// known, and every pod within the restricted profile.
func TestManifests(t *testing.T) {
	checker := filepath.Join(t.TempDir(), "kubernetes")
	if err := buildTool("kubernetes", ".", checker); err != nil {
		missing(t, err.Error())
	}
	said := output(t, checker, kubernetes+"namespace.yaml", kubernetes+"gateway.yaml", kubernetes+"network.yaml")
	for _, want := range []string{"Namespace consentgate", "StatefulSet consentgate", "PodDisruptionBudget consentgate", "NetworkPolicy consentgate"} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
	// It can tell.
	text := replaced(t, readFile(t, kubernetes+"gateway.yaml"), "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "serviceName:", "serviceNaem:")
	wrong := filepath.Join(t.TempDir(), "gateway.yaml")
	writeFile(t, wrong, text)
	if out, err := exec.Command(checker, wrong).CombinedOutput(); err == nil || !strings.Contains(string(out), "serviceNaem") {
		t.Errorf("a wrong one: %v\n%s", err, out)
	}
}

// A statefulSet is what the tests look at.
type statefulSet struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args  []string
					Env   []struct{ Name string }
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					VolumeMounts []volumeMount `yaml:"volumeMounts"`
				}
				SecurityContext struct {
					RunAsUser int `yaml:"runAsUser"`
					FSGroup   int `yaml:"fsGroup"`
				} `yaml:"securityContext"`
			}
		}
	}
}

type volumeMount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
}

// TestManifestsFitTheProgram expects what the pods are given to be what the
// program and its configuration ask for.
func TestManifestsFitTheProgram(t *testing.T) {
	document, _, _ := strings.Cut(readFile(t, kubernetes+"gateway.yaml"), "\n---\n")
	var set statefulSet
	if err := yaml.Load([]byte(document), &set); err != nil || set.Kind != "StatefulSet" {
		t.Fatalf("%q: %v", set.Kind, err)
	}
	pod := set.Spec.Template.Spec
	c := pod.Containers[0]
	if image := makeImage(t); pod.SecurityContext.RunAsUser != image.uid || pod.SecurityContext.FSGroup != image.uid || !slices.Equal(c.Args, image.command) {
		t.Errorf("the image runs as %d with %q; the pod as %d with %q", image.uid, image.command, pod.SecurityContext.RunAsUser, c.Args)
	}
	var conf struct {
		Listen    []string
		Ops, Data string
		Keys      string
	}
	text := readFile(t, kubernetes+"consentgate.yaml")
	if err := yaml.Load([]byte(text), &conf); err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{"http": ":8080", "ops": ":9090"}
	if conf.Listen[0] != ports["http"] || conf.Ops != ports["ops"] || c.Ports[0].ContainerPort != 8080 || c.Ports[1].ContainerPort != 9090 {
		t.Errorf("the configuration listens on %s and %s, the pod says %v", conf.Listen, conf.Ops, c.Ports)
	}
	for _, path := range []string{conf.Data, filepath.Dir(conf.Keys), filepath.Dir(c.Args[2])} {
		if !slices.ContainsFunc(c.VolumeMounts, func(m volumeMount) bool { return m.MountPath == path }) {
			t.Errorf("nothing is mounted at %s", path)
		}
	}
	for _, e := range c.Env {
		if !strings.Contains(text, e.Name) {
			t.Errorf("the configuration does not use %s", e.Name)
		}
	}
}

// TestTwoGatewaysShareKeys starts two gateways with the keys as a secret is
// mounted, and expects each to believe what the other has signed.
func TestTwoGatewaysShareKeys(t *testing.T) {
	origin := vendorSite(t)
	keys := filepath.Join(t.TempDir(), "keys")
	writeFile(t, keys, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))+"\n")
	if err := os.Chmod(keys, 0o440); err != nil {
		t.Fatal(err)
	}
	text := readFile(t, kubernetes+"consentgate.yaml")
	before, rest, _ := strings.Cut(text, "ledger:")
	_, after, ok := strings.Cut(rest, "# The pods of the ingress controller.")
	if !ok {
		t.Fatal("the configuration has another shape than this test expects")
	}
	text = replaced(t, before+after, "/etc/consentgate-keys/keys", keys, "http://wordpress.wordpress.svc", origin.URL)
	one := startGateway(t, text, "ORIGIN_SECRET="+strings.Repeat("s", 32))
	other := startGateway(t, text, "ORIGIN_SECRET="+strings.Repeat("s", 32))

	v := newVisitor(t, to(strings.TrimPrefix(one.url, "http://")))
	v.header.Set("Sec-Fetch-Site", "same-origin")
	v.do("POST", "http://example.org/_consent/choice", "choice=accept&revision=1&return=/")
	v.client.Transport = to(strings.TrimPrefix(other.url, "http://"))
	if _, page := v.get("http://example.org/"); strings.Contains(page, `id="cg-banner"`) || !strings.Contains(page, "googletagmanager") {
		t.Errorf("the other gateway asks again:\n%s", page)
	}
}
