/**
 * JUnit tests that use a virtual machine: a class says by {@link io.javisor.testing.WithVirtualMachine} what machine it wants,
 * and its tests get it as a parameter. The extension behind it makes the machine before the first test of the class, waits until
 * its shell answers, shows the console's end beside a test that fails, and closes the machine after the last.
 */
@NullMarked
package io.javisor.testing;

import org.jspecify.annotations.NullMarked;
