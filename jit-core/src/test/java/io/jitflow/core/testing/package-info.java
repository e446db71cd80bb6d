/** Reading recordings and comparing arrays, for the tests of every module. */
package io.jitflow.core.testing;
