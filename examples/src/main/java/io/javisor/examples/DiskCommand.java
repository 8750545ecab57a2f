package io.javisor.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Makes and looks after disk images. */
@Command(
        name = "disk",
        mixinStandardHelpOptions = true,
        description =
                "Makes, inspects, checks, converts, resizes and merges disk images: raw, VHD and VHDX, by the file's name.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DiskCreateCommand.class,
            DiskInfoCommand.class,
            DiskConvertCommand.class,
            DiskResizeCommand.class,
            DiskCheckCommand.class,
            DiskMergeCommand.class,
            DiskCompactCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done; of check: the image is sound",
            "2:check found the image damaged",
            "64:bad options, or a file that can't be used",
            "69:the host can't do it: no room, no permission, or the image is in use"
        })
final class DiskCommand implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "which command? create, info, convert, resize, check, merge or compact");
    }
}
