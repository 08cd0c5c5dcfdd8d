/**
 * Reading and drawing what certification runs left: logs of any tool in the common table form, figures, the audit,
 * tables, curves, reports. Knows nothing of how a run is made; package {@code run} hands its runs over as logs.
 */
package org.diffcert.analyze;
