import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../../src/paths.ts";
import { isKept, keepTriggers, KEDA_MODULE, KEDA_VERSION } from "../../src/toolchain/keda.ts";

const FACTORY = `package scaling

func buildScaler(triggerType string) (scalers.Scaler, error) {
	switch triggerType {
	case "cpu":
		return scalers.NewCPUMemoryScaler(corev1.ResourceCPU, config)
	case "cron":
		return scalers.NewCronScaler(config)
	// TODO: use other way for test.
	case "external-mock":
		return scalers.NewExternalMockScaler(config)
	case "prometheus":
		return scalers.NewPrometheusScaler(config)
	default:
		return nil, fmt.Errorf("no scaler found for type: %s", triggerType)
	}
}
`;

describe("KEDA's scaler factory", () => {
    test("keeps the requested triggers and the default, and nothing else", () => {
        const kept = keepTriggers(FACTORY, ["prometheus", "cpu"]);
        expect(kept.match(/case .*/g)).toEqual(['case "cpu":', 'case "prometheus":']);
        expect(kept).toContain("no scaler found for type");
        expect(kept).not.toMatch(/Mock|Cron|TODO/);
    });

    test("of another shape is rejected with what it lacks", () => {
        expect(() => keepTriggers(FACTORY, ["prometheus", "redis", "memory"])).toThrow(
            "pkg/scaling/scalers_builder.go has no trigger redis, memory: " +
                "local/src/toolchain/keda.ts was written for another version",
        );
    });
});

test.each([
    ["go.mod", true],
    ["cmd/operator/main.go", true],
    ["cmd/webhooks/main.go", false],
    ["pkg/scalers/prometheus_scaler.go", true],
    ["pkg/scalers/prometheus_scaler_test.go", false],
    ["pkg/scalers/redis_scaler.go", false],
    ["pkg/scalers/aws/aws_common.go", false],
    ["pkg/scalers/authentication/authentication_types.go", true],
    ["pkg/scaling/resolver/hashicorpvault_handler.go", false],
    ["pkg/scaling/resolver/scale_resolvers.go", true],
    ["config/crd/bases/keda.sh_scaledobjects.yaml", false],
    ["tests/main.go", false],
])("of KEDA's source, %s is kept: %s", (file, expected) => {
    expect(isKept(file)).toBe(expected);
});

test("the version whose files are known is the one that go.mod pins", () => {
    const pinned = readFileSync(path.join(REPOSITORY, "local/toolchain/cluster/go.mod"), "utf8");
    expect(pinned).toContain(`${KEDA_MODULE} ${KEDA_VERSION}\n`);
});
