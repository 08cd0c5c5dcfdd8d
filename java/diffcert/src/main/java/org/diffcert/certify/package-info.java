/** PREDICT and CERTIFY over a source of votes. */
package org.diffcert.certify;
