package scalers

// A constant that KEDA declares in the file of a scaler that this build leaves out.
const externalMetricType = "External"
