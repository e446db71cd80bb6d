/** What every reader of foreign files shares: the type of its errors, and how they quote. */
package io.jitflow.flux.file;
