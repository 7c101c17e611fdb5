package resolver

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers/authentication"
)

// The handlers below replace KEDA's, which bring the SDKs of Vault, AWS, Azure and Google Cloud. Each returns
// an error when a TriggerAuthentication asks for it.

func absent(store string) error {
	return fmt.Errorf("this build of KEDA reads no secrets of %s", store)
}

type hashicorpVault struct{}

func NewHashicorpVaultHandler(*kedav1alpha1.HashiCorpVault, *authentication.AuthClientSet, string) hashicorpVault {
	return hashicorpVault{}
}

func (hashicorpVault) Initialize(logr.Logger) error { return absent("HashiCorp Vault") }

func (hashicorpVault) Stop() {}

func (hashicorpVault) ResolveSecrets([]kedav1alpha1.VaultSecret) ([]kedav1alpha1.VaultSecret, error) {
	return nil, absent("HashiCorp Vault")
}

// cloudStore is a store of a cloud, by its name.
type cloudStore string

func NewAzureKeyVaultHandler(*kedav1alpha1.AzureKeyVault) cloudStore {
	return "Azure Key Vault"
}

func NewGCPSecretManagerHandler(*kedav1alpha1.GCPSecretManager) cloudStore {
	return "GCP Secret Manager"
}

func (store cloudStore) Initialize(
	context.Context, client.Client, logr.Logger, string, corev1listers.SecretLister,
) error {
	return absent(string(store))
}

func (store cloudStore) Read(context.Context, string, string) (string, error) {
	return "", absent(string(store))
}

type awsStore struct{}

func NewAwsSecretManagerHandler(*kedav1alpha1.AwsSecretManager) awsStore { return awsStore{} }

func (awsStore) Initialize(
	context.Context, client.Client, logr.Logger, string, corev1listers.SecretLister, *corev1.PodSpec,
) error {
	return absent("AWS Secrets Manager")
}

func (awsStore) Read(context.Context, logr.Logger, string, string, string, string) (string, error) {
	return "", absent("AWS Secrets Manager")
}

func (awsStore) Stop() {}
