// Package azure replaces KEDA's, which brings the SDK of Azure: this build reads a Prometheus without it.
package azure

import (
	"errors"
	"net/http"

	"github.com/go-logr/logr"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

// TryAndGetAzureManagedPrometheusHTTPRoundTripper returns no round tripper, and an error when a trigger asks for Azure.
func TryAndGetAzureManagedPrometheusHTTPRoundTripper(
	_ logr.Logger, podIdentity kedav1alpha1.AuthPodIdentity, _ map[string]string,
) (http.RoundTripper, error) {
	if podIdentity.Provider == kedav1alpha1.PodIdentityProviderAzureWorkload {
		return nil, errors.New("this build of KEDA has no authentication to Azure")
	}
	return nil, nil
}
