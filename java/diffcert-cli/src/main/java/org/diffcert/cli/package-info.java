/** The command line of diffcert: one class a command, over the library. */
package org.diffcert.cli;
