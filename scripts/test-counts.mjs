// Prints `N passed, N failed` from Vitest's JSON report; exits 1 where a test failed, none ran, or there is no report.
// Usage: node scripts/test-counts.mjs REPORT
import { readFileSync } from "node:fs";

let counts = { passed: 0, failed: 1 };
try {
  const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
  // A file that cannot be loaded fails without a test of its own.
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  counts = { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
} catch (error) {
  console.error(`no test report: ${error.message}`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
