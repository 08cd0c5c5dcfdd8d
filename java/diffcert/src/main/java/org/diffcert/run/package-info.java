/** The run directory: append-only log, results, report, verification, analysis. */
package org.diffcert.run;
