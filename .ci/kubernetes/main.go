// Command kubernetes reads manifests as a cluster would: with the types of
// Kubernetes itself, every field known, and every pod held to the restricted
// profile of its pod security standards. It prints a line for each object, and a
// mistake for each that is none.
//
//	kubernetes FILE...
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

func main() {
	failed := false
	for _, name := range os.Args[1:] {
		if err := read(os.Stdout, name); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// read tells what the documents of a file are.
func read(w io.Writer, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var errs []error
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		object, err := decode(document)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(w, object)
	}
	return errors.Join(errs...)
}

// decode says kind and name of one document.
func decode(document []byte) (string, error) {
	var head struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return "", err
	}
	object, pod := newObject(head.APIVersion + " " + head.Kind)
	if object == nil {
		return "", fmt.Errorf("%s %s: not a kind this program knows", head.APIVersion, head.Kind)
	}
	who := head.Kind + " " + head.Name
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return "", fmt.Errorf("%s: %w", who, err)
	}
	if pod != nil {
		if err := restricted(&pod.ObjectMeta, &pod.Spec); err != nil {
			return "", fmt.Errorf("%s: %w", who, err)
		}
	}
	return who, nil
}

// newObject makes what a kind is decoded into, and points to the pods in it.
func newObject(kind string) (object any, pod *corev1.PodTemplateSpec) {
	switch kind {
	case "apps/v1 StatefulSet":
		o := new(appsv1.StatefulSet)
		return o, &o.Spec.Template
	case "apps/v1 Deployment":
		o := new(appsv1.Deployment)
		return o, &o.Spec.Template
	case "v1 Namespace":
		return new(corev1.Namespace), nil
	case "v1 Service":
		return new(corev1.Service), nil
	case "v1 ServiceAccount":
		return new(corev1.ServiceAccount), nil
	case "v1 Secret":
		return new(corev1.Secret), nil
	case "v1 ConfigMap":
		return new(corev1.ConfigMap), nil
	case "policy/v1 PodDisruptionBudget":
		return new(policyv1.PodDisruptionBudget), nil
	case "networking.k8s.io/v1 NetworkPolicy":
		return new(networkingv1.NetworkPolicy), nil
	}
	return nil, nil
}

// restricted holds a pod to the strictest of the pod security standards.
func restricted(meta *metav1.ObjectMeta, spec *corev1.PodSpec) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(
		api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, meta, spec))
	if result.Allowed {
		return nil
	}
	return errors.New(strings.TrimSpace(result.ForbiddenDetail()))
}
