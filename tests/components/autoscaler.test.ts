import { describe, expect, test } from "@jest/globals";
import { Autoscaler } from "../../components/autoscaler.ts";
import { at, declared } from "../support/program.ts";

const target = { name: "service", namespace: "here" };

describe("Autoscaler", () => {
    test("scales the named Deployment on CPU within its bounds", async () => {
        const all = await declared(
            () => new Autoscaler("a", { target, minReplicas: 3, maxReplicas: 10 }),
        );
        expect(all.one(":HorizontalPodAutoscaler").inputs).toMatchObject({
            metadata: { name: "service", namespace: "here" },
            spec: {
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "service" },
                minReplicas: 3,
                maxReplicas: 10,
                metrics: [
                    {
                        type: "Resource",
                        resource: {
                            name: "cpu",
                            target: { type: "Utilization", averageUtilization: 70 },
                        },
                    },
                ],
            },
        });
    });

    test("goes up by half a minute at most, and down by a tenth after five quiet minutes", async () => {
        const all = await declared(
            () => new Autoscaler("a", { target, minReplicas: 2, maxReplicas: 10 }),
        );
        expect(at(all.one(":HorizontalPodAutoscaler").inputs, "spec", "behavior")).toEqual({
            scaleUp: {
                stabilizationWindowSeconds: 60,
                selectPolicy: "Max",
                policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
            },
            scaleDown: {
                stabilizationWindowSeconds: 300,
                selectPolicy: "Max",
                policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
            },
        });
    });

    test("belongs to its component, which belongs to the stack", async () => {
        const all = await declared(
            () => new Autoscaler("a", { target, minReplicas: 2, maxReplicas: 10 }),
        );
        const component = all.one("platform:index:Autoscaler");
        expect(component.parent).toBeUndefined();
        expect(all.one(":HorizontalPodAutoscaler").parent).toBe(component.urn);
    });

    test("refuses a floor above the limit, naming both", async () => {
        const wrong = () => new Autoscaler("a", { target, minReplicas: 5, maxReplicas: 4 });
        await expect(declared(wrong)).rejects.toThrow(/minReplicas.*is 5.*maxReplicas \(4\)/);
    });
});
