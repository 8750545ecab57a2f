package io.javisor.examples;

import io.javisor.api.MachineState;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.networking.extension.PcapngCapture;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * Runs several machines on the same switches. Commands begin when all guests that have one have a shell; a machine stays until the
 * last command has ended, so that others can use what it serves. Without commands the run lasts until all guests have ended.
 */
final class MachinesRun {
    private final MachinesFile file;
    private final PrintWriter err;
    private final long deadline;
    private final Map<String, VirtualSwitch> switches = new LinkedHashMap<>();

    /**
     * @param deadline by {@link System#nanoTime}; {@link Long#MAX_VALUE} for none
     */
    MachinesRun(MachinesFile file, long deadline, PrintWriter err) {
        this.file = file;
        this.deadline = deadline;
        this.err = err;
        file.machines().forEach(machine -> machine.options.switches(switches));
    }

    List<MachineOptions> machines() {
        return file.machines().stream().map(m -> m.options).toList();
    }

    /** Folders that are written to besides those of disks. */
    Set<Path> writtenFolders() {
        var folders = new TreeSet<Path>();
        for (MachinesFile.SwitchEntry entry : file.switches().values()) {
            Path capture = entry.capture();
            Path folder = capture == null
                    ? null
                    : capture.toAbsolutePath().normalize().getParent();
            if (folder != null) {
                folders.add(folder);
            }
        }
        return folders;
    }

    /** Runs them; gives the exit code of the first machine of the file that has another than 0. */
    int run(CommandLine line) {
        var captures = new ArrayList<PcapngCapture>();
        var running = new ArrayList<VirtualMachine>();
        try (LabSan san = LabSan.open()) {
            try {
                prepareSwitches(line, captures);
                for (MachinesFile.Entry machine : file.machines()) {
                    running.add(make(machine));
                }
                running.forEach(san::present);
                return run(running);
            } finally {
                running.forEach(VirtualMachine::close);
                captures.forEach(PcapngCapture::close);
            }
        }
    }

    private static VirtualMachine make(MachinesFile.Entry machine) {
        return machine.state.restores()
                ? machine.options.savedOnSwitches().restore()
                : machine.options.builder().onReset(ResetAction.RESTART).build();
    }

    private void prepareSwitches(CommandLine line, List<PcapngCapture> captures) {
        file.switches().forEach((name, entry) -> {
            var made = new VirtualSwitch(name);
            made.setCapacity(entry.capacity());
            Path capture = entry.capture();
            if (capture != null) {
                try {
                    var extension = new PcapngCapture(capture);
                    captures.add(extension);
                    made.add(extension);
                } catch (UncheckedIOException e) {
                    throw new CommandLine.ParameterException(line, String.valueOf(e.getMessage()), e);
                }
            }
            switches.put(name, made);
        });
    }

    private int run(List<VirtualMachine> all) {
        long commands = file.machines().stream().filter(m -> m.exec != null).count();
        var ready = new CountDownLatch((int) commands);
        var codes = new ArrayList<Code>();
        for (int i = 0; i < all.size(); i++) {
            MachinesFile.Entry entry = file.machines().get(i);
            VirtualMachine vm = all.get(i);
            var code = new Code(entry, vm);
            codes.add(code);
            if (entry.exec == null) {
                vm.console().copyTo(new LabelledLines(entry.name, System.out));
            }
            if (vm.state() == MachineState.PAUSED) {
                vm.resume(); // it was restored
            } else {
                vm.start();
            }
        }
        for (Code code : codes) {
            if (commands == 0 || code.entry.exec != null) {
                code.thread = Thread.ofVirtual().name(code.entry.name).start(() -> code.await(ready));
            }
        }
        codes.forEach(Code::join);
        return codes.stream()
                .mapToInt(code -> code.value(commands > 0))
                .filter(value -> value != ExitCode.OK)
                .findFirst()
                .orElse(ExitCode.OK);
    }

    /** What becomes of a machine. */
    private final class Code {
        final MachinesFile.Entry entry;
        final VirtualMachine vm;

        @Nullable
        Thread thread;

        private int value = ExitCode.INTERNAL;

        Code(MachinesFile.Entry entry, VirtualMachine vm) {
            this.entry = entry;
            this.vm = vm;
        }

        void await(CountDownLatch ready) {
            var said = new PrintWriter(new LabelledLines(entry.name, System.err), true, StandardCharsets.UTF_8);
            try {
                String command = entry.exec;
                value = command == null
                        ? GuestCommand.code(vm.awaitStop(GuestCommand.left(deadline)), said)
                        : run(command, ready, said);
            } catch (HypervisorException e) {
                said.println("javisor: " + e.getMessage());
                value = Failures.exitCode(e);
            } catch (IOException e) {
                said.println("javisor: " + e);
                value = ExitCode.INTERNAL;
            } finally {
                ready.countDown();
            }
        }

        private int run(String command, CountDownLatch ready, PrintWriter said) throws IOException {
            var out = new LabelledLines(entry.name, System.out);
            var errors = new LabelledLines(entry.name, System.err);
            try {
                return new GuestCommand(command, out, errors, said, deadline)
                        .run(
                                vm,
                                () -> {
                                    ready.countDown();
                                    awaitAll(ready);
                                },
                                () -> entry.state.save(vm, said));
            } finally {
                out.finish();
                errors.finish();
            }
        }

        void join() {
            Thread waiting = thread;
            if (waiting == null) {
                return;
            }
            try {
                waiting.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Its exit code; one that has no command, beside others that have, is just ended. */
        int value(boolean beside) {
            if (thread != null) {
                return value;
            }
            return beside ? vm.outcome().map(o -> GuestCommand.code(o, err)).orElse(ExitCode.OK) : value;
        }
    }

    private void awaitAll(CountDownLatch ready) throws IOException {
        try {
            // Whoever fails before counts down too; so this ends with the slowest boot, or with its deadline.
            ready.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
