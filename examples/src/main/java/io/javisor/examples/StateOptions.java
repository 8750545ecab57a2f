package io.javisor.examples;

import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Where a machine comes from if it does not boot, and where it goes instead of being switched off. */
final class StateOptions {
    /** What a saved machine brings with it. */
    private static final List<String> BROUGHT = List.of(
            "--kernel",
            "--debian",
            "--initrd",
            "--modules",
            "--append",
            "--memory",
            "--vcpus",
            "--cpu",
            "--numa",
            "--numa-distance",
            "--numa-speed",
            "--numa-mirror",
            "--numa-strict",
            "--cpu-layout",
            "--pin",
            "--hugepages",
            "--disk",
            "--dvd",
            "--net",
            "--fc",
            "--no-reboot");

    @Option(
            names = "--restore",
            paramLabel = "DIR",
            description = {
                "Go on with the machine that was saved to this folder, instead of booting one.",
                "With --name it is a clone by that name."
            })
    private @Nullable Path restore;

    @Option(
            names = "--save",
            paramLabel = "DIR",
            description = {
                "Save the machine to this folder where it would be switched off: after the command of --exec,",
                "or when the time of --timeout is over. The exit code is then the command's, or 0."
            })
    private @Nullable Path save;

    /** Looks at what can be seen before anything is started, and reads the saved machine. */
    void check(CommandLine line, MachineOptions machine, boolean ends) {
        if (save != null) {
            if (!ends) {
                throw new CommandLine.ParameterException(line, "--save needs --exec or --timeout, which say when");
            }
            if (Files.exists(save)) {
                throw new CommandLine.ParameterException(line, "--save: " + save + " is there already");
            }
            machine.saveTo(save);
        }
        if (restore != null) {
            for (String option : BROUGHT) {
                if (line.getParseResult().hasMatchedOption(option)) {
                    throw new CommandLine.ParameterException(
                            line, option + " can't be given with --restore: the machine is what it was");
                }
            }
            machine.restore(SavedState.open(restore));
        }
    }

    /** The machine, if it is to be restored. */
    @Nullable
    VirtualMachine restored(CommandLine line, MachineOptions machine) {
        if (restore == null) {
            return null;
        }
        SavedState state = machine.savedOnSwitches();
        return line.getParseResult().hasMatchedOption("--name") ? state.restoreAs(machine.name()) : state.restore();
    }

    /** Whether the machine is to be restored. */
    boolean restores() {
        return restore != null;
    }

    /** Whether the machine is to be saved. */
    boolean saves() {
        return save != null;
    }

    /** Saves the machine, if it is to be. */
    void save(VirtualMachine vm, PrintWriter err) {
        if (save != null) {
            vm.save(save);
            err.println("javisor: saved to " + save + "; go on with: javisor run --restore " + save);
            err.flush();
        }
    }
}
