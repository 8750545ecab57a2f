package io.javisor.lab;

/**
 * What a command left behind.
 *
 * @param exitCode as the shell counts: 128 and the signal's number for a command that a signal ended
 * @param output its standard output
 * @param error its standard error
 */
public record LabResult(int exitCode, String output, String error) {}
