package io.javisor.examples;

import io.javisor.lab.HeldKvm;
import io.javisor.partition.HypervisorException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The javisor command. */
@Command(
        name = "javisor",
        mixinStandardHelpOptions = true,
        version = "javisor 0.1.0",
        description = "Virtual machines on Linux KVM, in pure Java, with what Hyper-V gives its guests.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DemoCommand.class,
            RunCommand.class,
            DoctorCommand.class,
            DiskCommand.class,
            SanCommand.class,
            MemoryCommand.class
        })
public final class JavisorCommand implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "which command? demo, run, doctor, disk, san or memory");
    }

    /** Runs the command and ends the JVM with its exit code. */
    public static void main(String[] args) {
        System.exit(LabOptions.isInside() ? executeInLab(args) : commandLine().execute(args));
    }

    private static int executeInLab(String[] args) {
        try (HeldKvm _ = HeldKvm.open()) {
            return commandLine().execute(args);
        }
    }

    static CommandLine commandLine() {
        return new CommandLine(new JavisorCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(JavisorCommand::badOptions)
                .setExecutionExceptionHandler((e, line, parsed) -> failed(e, line.getErr()));
    }

    private static int badOptions(CommandLine.ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        line.getErr().println("javisor: " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, line.getErr());
        line.getErr().println("javisor: see " + line.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    /** Says what went wrong, as one line that begins with {@code javisor:}, and gives the code for it. */
    static int failed(Exception e, PrintWriter err) {
        if (e instanceof HypervisorException known) {
            err.println("javisor: " + known.getMessage());
            return Failures.exitCode(known);
        }
        err.println("javisor: internal error: " + e);
        e.printStackTrace(err);
        return ExitCode.INTERNAL;
    }
}
