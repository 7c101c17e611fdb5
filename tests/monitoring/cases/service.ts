import { JOBS, METRICS, NAMESPACES, TRAFFIC_WEIGHT, type Colour } from "@property-search/contract";
import type { Case } from "../../support/monitoring/cases.ts";
import { counter, gauge, STALE, RESET, type Span } from "../../support/monitoring/samples.ts";
import { counterCases, gaugeCases, time } from "./common.ts";

type Course = readonly (Span | typeof RESET | typeof STALE)[];
type Series = Readonly<Record<string, string>>;

const BLUE = `colour="blue",namespace="${NAMESPACES.blue}",service="embedding-service"`;
const GREEN = `colour="green",namespace="${NAMESPACES.green}",service="embedding-service"`;

/** A second of each kind, by a course of shares of the kind that is bad. */
function shares(course: Course, good: string, bad: string, perSecond = 10): Series {
    const of = (share: (level: number) => number) =>
        counter(
            course.map((span) =>
                typeof span === "string" ? span : [share(span[0]) * perSecond, span[1]],
            ),
        );
    return { [good]: of((level) => 1 - level), [bad]: of((level) => level) };
}

/** An alert on a share of five minutes that is rated and guarded by traffic. */
function shareCases(args: {
    readonly minutes: number;
    /** Shares of what is bad: well below the threshold, just below, just above. */
    readonly good: number;
    readonly almost: number;
    readonly bad: number;
    readonly of: (colour: Colour, course: Course, perSecond?: number) => Series;
}): Case[] {
    const { minutes, good, almost, bad, of } = args;
    return [
        {
            why: "fires after its time, not before, and resolves",
            series: of("blue", [
                [bad, minutes + 5],
                [good, 20],
            ]),
            at: {
                [time(minutes)]: [],
                [time(minutes, 30)]: [BLUE],
                [time(minutes + 5)]: [BLUE],
                [time(minutes + 11)]: [],
                [time(minutes + 20)]: [],
            },
        },
        {
            why: "fires after a hundred good minutes, which a lifetime's share would hide",
            series: of("blue", [
                [good, 100],
                [bad, 20],
            ]),
            at: { "99m": [], [time(105 + minutes, 30)]: [BLUE] },
        },
        {
            why: "what is just good enough is no trouble",
            series: of("blue", [[almost, 30]]),
            at: { "10m": [], "29m": [] },
        },
        {
            why: "no traffic is no trouble",
            series: of("blue", [[bad, 30]], 0),
            at: { "10m": [], "29m": [] },
        },
        {
            why: "little traffic says nothing",
            series: of("blue", [[1, 30]], 0.04),
            at: { "10m": [], "29m": [] },
        },
        {
            why: "a restarted pod does not fire",
            series: of("blue", [[good, 20], RESET, [good, 20], RESET, [good, 20]]),
            at: { "20m15s": [], "24m": [], [time(22 + minutes)]: [], "45m": [] },
        },
        {
            why: "does not outlive its series",
            series: of("blue", [[bad, minutes + 5], STALE]),
            at: { [time(minutes + 4)]: [BLUE], [time(minutes + 12)]: [] },
        },
        {
            why: "says which colour it is",
            series: {
                ...of("blue", [
                    [good, 20],
                    [bad, 20],
                ]),
                ...of("green", [[bad, 40]]),
            },
            at: { "15m": [GREEN], "38m": [BLUE, GREEN] },
        },
    ];
}

function lookups(colour: Colour, course: Course, perSecond?: number): Series {
    const of = (result: string) =>
        `${METRICS.lookups}{colour="${colour}",pod="a",result="${result}"}`;
    return shares(course, of("hit_l2"), of("miss"), perSecond);
}

function requests(colour: Colour, course: Course, perSecond?: number): Series {
    const of = (code: number) => `${METRICS.requests}{colour="${colour}",pod="a",code="${code}"}`;
    return shares(course, of(200), of(503), perSecond);
}

/** Of what is slow each takes 0.5 to 1 s; failures are not counted. */
function times(colour: Colour, course: Course, perSecond = 10): Series {
    const of = (le: string) =>
        `${METRICS.responseTime}_bucket{colour="${colour}",pod="a",result="miss",le="${le}"}`;
    const all = shares(
        course.map((span) => (typeof span === "string" ? span : ([0, span[1]] as const))),
        of("1"),
        of("0.0001"),
        perSecond,
    );
    const { [of("1")]: every = "" } = all;
    return {
        ...shares(course, of("0.5"), `unused{colour="${colour}"}`, perSecond),
        ...all,
        [of("+Inf")]: every,
        [`${METRICS.requests}{colour="${colour}",pod="a",code="200"}`]: every,
    };
}

const up = (colour: Colour, pod: string) =>
    `up{job="${JOBS.service}",colour="${colour}",namespace="${NAMESPACES[colour]}",pod="${pod}"}`;

function weights(blue: number, green: number): Series {
    return {
        [`${TRAFFIC_WEIGHT}{colour="blue"}`]: gauge([[blue, 60]]),
        [`${TRAFFIC_WEIGHT}{colour="green"}`]: gauge([[green, 60]]),
    };
}

const WELL = gauge([[1, 60]]);
const DYING = gauge([
    [1, 5],
    [0, 5],
    [1, 20],
]);

const DOWN: Case[] = [
    {
        why: "the active colour's death is not hidden by the idle one's life",
        series: { ...weights(100, 0), [up("blue", "a")]: DYING, [up("green", "b")]: WELL },
        at: { "4m": [], "5m45s": [], "6m": [BLUE], "9m45s": [BLUE], "10m": [], "25m": [] },
    },
    {
        why: "the idle colour may be gone",
        series: { ...weights(100, 0), [up("blue", "a")]: WELL, [up("green", "b")]: DYING },
        at: { "4m": [], "9m": [], "20m": [] },
    },
    {
        why: "a colour lives while one of its pods does",
        series: {
            ...weights(100, 0),
            [up("blue", "a")]: DYING,
            [up("blue", "b")]: WELL,
        },
        at: { "4m": [], "9m": [] },
    },
    {
        why: "the series disappear with the pods",
        series: {
            ...weights(100, 0),
            [up("blue", "a")]: gauge([[1, 5], STALE]),
            [up("green", "b")]: gauge([[1, 5], STALE]),
        },
        at: { "4m": [], "5m45s": [], "6m30s": [BLUE], "20m": [BLUE] },
    },
    {
        why: "in a switch each colour counts",
        series: { ...weights(50, 50), [up("blue", "a")]: WELL, [up("green", "b")]: DYING },
        at: { "4m": [], "7m": [GREEN], "11m": [] },
    },
    {
        why: "both die",
        series: { ...weights(90, 10), [up("blue", "a")]: DYING, [up("green", "b")]: DYING },
        at: { "4m": [], "7m": [BLUE, GREEN], "11m": [] },
    },
    {
        why: "without the weights every colour counts",
        series: { [up("blue", "a")]: DYING, [up("green", "b")]: WELL },
        at: { "4m": [], "7m": [BLUE], "11m": [] },
    },
    {
        why: "with neither weights nor pods it cannot say which, and says so",
        series: { other: WELL },
        at: { "45s": [], "2m": [`colour="all",namespace="${NAMESPACES.edge}"`] },
    },
];

const attempts = (outcome: string) =>
    `${METRICS.upstreamAttempts}{colour="blue",pod="a",endpoint="primary",outcome="${outcome}"}`;

function upstream(colour: Colour, course: Course, perSecond?: number): Series {
    const of = (outcome: string) =>
        `${METRICS.upstreamAttempts}{colour="${colour}",pod="a",endpoint="primary",outcome="${outcome}"}`;
    return shares(course, of("ok"), of("upstream_timeout"), perSecond);
}

const deployment = (field: string, namespace: string = NAMESPACES.blue) =>
    `kube_deployment_${field}{namespace="${namespace}",deployment="embedding-service-blue"}`;
const autoscaler = (field: string, more = "") =>
    `kube_horizontalpodautoscaler_${field}{namespace="${NAMESPACES.blue}",horizontalpodautoscaler="embedding-service-blue"${more}}`;

export const SERVICE_CASES: Readonly<Record<string, readonly Case[]>> = {
    EmbeddingCacheHitRateLow: shareCases({
        minutes: 5,
        good: 0.1,
        almost: 0.29,
        bad: 0.31,
        of: lookups,
    }),
    EmbeddingCacheHitRateCritical: shareCases({
        minutes: 2,
        good: 0.1,
        almost: 0.49,
        bad: 0.51,
        of: lookups,
    }),
    ResponseTimeHigh: shareCases({
        minutes: 5,
        good: 0.01,
        almost: 0.049,
        bad: 0.051,
        of: times,
    }),
    EmbeddingErrorRatioHigh: shareCases({
        minutes: 2,
        good: 0.001,
        almost: 0.049,
        bad: 0.051,
        of: requests,
    }),
    ServiceDown: DOWN,
    EmbeddingNoTraffic: [
        {
            why: "fires after its time, not before, and resolves",
            series: {
                [`${METRICS.requests}{colour="blue",code="200"}`]: counter([
                    [2, 70],
                    [0, 30],
                    [2, 10],
                ]),
            },
            at: {
                "60m": [],
                "79m": [],
                "80m30s": [`colour="all",namespace="${NAMESPACES.edge}"`],
                "99m": [`colour="all"`],
                "102m": [],
            },
        },
        {
            why: "a service that never had traffic does not fire",
            series: {
                [`${METRICS.requests}{colour="blue",code="200"}`]: counter([
                    [0.04, 70],
                    [0, 30],
                ]),
            },
            at: { "60m": [], "82m": [] },
        },
        {
            why: "a night without traffic is one alert's worth of an hour",
            series: {
                [`${METRICS.requests}{colour="blue",code="200"}`]: counter([
                    [2, 70],
                    [0, 180],
                ]),
            },
            at: { "82m": [`colour="all"`], "160m": [] },
        },
        {
            why: "restarted pods do not fire",
            series: {
                [`${METRICS.requests}{colour="blue",code="200"}`]: counter([
                    [2, 70],
                    RESET,
                    [2, 30],
                ]),
            },
            at: { "71m": [], "80m": [] },
        },
    ],
    EmbeddingUpstreamFailing: [
        ...shareCases({ minutes: 5, good: 0.01, almost: 0.19, bad: 0.21, of: upstream }).filter(
            // One failure of one attempt is all of them: there is no guard, since each one costs a client.
            ({ why }) => why !== "little traffic says nothing",
        ),
        {
            why: "what a client sent wrong is not the upstream's failure",
            series: {
                [attempts("ok")]: counter([[1, 30]]),
                [attempts("rejected_input")]: counter([[9, 30]]),
            },
            at: { "10m": [], "29m": [] },
        },
    ],
    EmbeddingUpstreamOverloaded: counterCases({
        series: `${METRICS.upstreamOverloaded}{colour="blue",pod="a"}`,
        minutes: 5,
        labels: BLUE,
    }),
    EmbeddingSemanticBudgetExhausted: gaugeCases({
        series: `${METRICS.semanticExhausted}{colour="blue",pod="a",tenant="search",dimensions="384"}`,
        good: 0,
        bad: 1,
        minutes: 5,
        labels: `${BLUE},tenant="search"`,
        others: {
            [`${METRICS.semanticExhausted}{colour="green",pod="b",tenant="search",dimensions="384"}`]:
                gauge([[0, 60]]),
        },
    }),
    EmbeddingSemanticUnavailable: gaugeCases({
        series: `${METRICS.semanticUp}{colour="blue",pod="a"}`,
        good: 1,
        bad: 0,
        minutes: 10,
        labels: BLUE,
        others: { [`${METRICS.semanticUp}{colour="green",pod="b"}`]: gauge([[1, 60]]) },
    }),
    EmbeddingPodsUnavailable: [
        ...gaugeCases({
            series: deployment("status_replicas_available"),
            good: 3,
            bad: 2,
            minutes: 10,
            labels: BLUE,
            others: { [deployment("spec_replicas")]: gauge([[3, 60]]) },
        }),
        {
            why: "other namespaces are not ours",
            series: {
                [deployment("status_replicas_available", "other")]: gauge([[0, 60]]),
                [deployment("spec_replicas", "other")]: gauge([[3, 60]]),
            },
            at: { "30m": [] },
        },
    ],
    EmbeddingAutoscalerAtLimit: [
        ...gaugeCases({
            series: autoscaler("status_current_replicas"),
            good: 4,
            bad: 10,
            minutes: 15,
            labels: BLUE,
            others: {
                [autoscaler("spec_max_replicas")]: gauge([[10, 60]]),
                [autoscaler("spec_min_replicas")]: gauge([[2, 60]]),
            },
        }),
        {
            why: "where the floor is the limit there is nothing to say",
            series: {
                [autoscaler("status_current_replicas")]: gauge([[2, 60]]),
                [autoscaler("spec_max_replicas")]: gauge([[2, 60]]),
                [autoscaler("spec_min_replicas")]: gauge([[2, 60]]),
            },
            at: { "30m": [] },
        },
    ],
    EmbeddingAutoscalerMetricsUnavailable: gaugeCases({
        series: autoscaler("status_condition", ',condition="ScalingActive",status="false"'),
        good: 0,
        bad: 1,
        minutes: 5,
        labels: BLUE,
    }),
};
