package io.javisor.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Records demand for memory, and simulates hosts full of machines. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = "Records what programs need of memory, and simulates how hosts full of machines fare with it.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {MemoryRecordCommand.class, MemorySimulateCommand.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "64:bad options, or a file that can't be used", "69:the host can't do it"})
final class MemoryCommand implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "which command? record or simulate");
    }
}
