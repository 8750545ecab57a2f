/**
 * The {@code javisor} command: a thin client of the public API. {@link io.javisor.examples.JavisorCommand} parses options;
 * each subcommand turns them into a {@code MachineSpec}, runs the machine and maps its outcome to an
 * {@link io.javisor.examples.ExitCode}.
 */
@NullMarked
package io.javisor.examples;

import org.jspecify.annotations.NullMarked;
