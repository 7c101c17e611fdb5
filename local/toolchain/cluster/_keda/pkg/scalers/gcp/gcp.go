// Package gcp replaces KEDA's, which brings the SDK of Google Cloud: this build reads a Prometheus without it.
package gcp

import (
	"errors"
	"net/http"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

var (
	GcpScopeMonitoringRead = "https://www.googleapis.com/auth/monitoring.read"

	// ErrGoogleApplicationCrendentialsNotFound means that a trigger does not ask for Google Cloud.
	ErrGoogleApplicationCrendentialsNotFound = errors.New("google application credentials not found")
)

// GetGCPOAuth2HTTPTransport returns no transport; its error tells whether a trigger asks for Google Cloud.
func GetGCPOAuth2HTTPTransport(
	config *scalersconfig.ScalerConfig, _ http.RoundTripper, _ ...string,
) (http.RoundTripper, error) {
	asked := config.PodIdentity.Provider == kedav1alpha1.PodIdentityProviderGCP ||
		config.AuthParams["GoogleApplicationCredentials"] != "" ||
		config.TriggerMetadata["credentialsFromEnv"] != "" ||
		config.TriggerMetadata["credentialsFromEnvFile"] != ""
	if asked {
		return nil, errors.New("this build of KEDA has no authentication to Google Cloud")
	}
	return nil, ErrGoogleApplicationCrendentialsNotFound
}
