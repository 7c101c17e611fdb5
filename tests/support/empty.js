// Stands for packages that the Pulumi SDK loads for what no test does, such as npm's resolver.
export default {};
