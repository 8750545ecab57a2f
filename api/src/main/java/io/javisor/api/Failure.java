package io.javisor.api;

import io.javisor.api.console.Console;
import io.javisor.kvm.KvmException;
import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Turns what went wrong into errors that carry their evidence. */
final class Failure {
    /** How Linux begins its last words (kernel/panic.c). */
    private static final Pattern PANIC = Pattern.compile("Kernel panic - not syncing: ([^\\r\\n]*)");

    private static final int TAIL_LINES = 25;

    private Failure() {}

    static HypervisorException of(Throwable e) {
        return switch (e) {
            case HypervisorException known -> known;
            case LinuxException refused -> KvmException.of(refused);
            case InternalError lost -> KvmException.memoryLost("the machine", lost);
            default -> new HypervisorException("internal", String.valueOf(e), null, 0, null, e);
        };
    }

    static HypervisorException timeout(String what, Duration timeout, Console console) {
        return new HypervisorException(
                "timeout", "waited " + timeout.toMillis() + " ms for " + what + evidence(console), null);
    }

    static HypervisorException stopped(String what, @Nullable Outcome outcome, Console console) {
        return new HypervisorException(
                "guest-stopped",
                "waited for " + what + ", but the guest ended: " + (outcome == null ? "closed" : outcome)
                        + evidence(console),
                null);
    }

    static HypervisorException wrongState(String verb, String name, MachineState state) {
        return new HypervisorException(
                state == MachineState.CLOSED ? "closed" : "wrong-state",
                "can't " + verb + " machine \"" + name + "\": it is " + state,
                null);
    }

    static HypervisorException noBus(String name, String why) {
        String missing = Host.check().checks().stream()
                .filter(check ->
                        check.status() != HostCheck.Status.OK && check.code().startsWith("hyperv"))
                .map(HostCheck::what)
                .collect(Collectors.joining(", "));
        return new HypervisorException(
                "no-vmbus",
                "machine \"" + name + "\" has no VMBus (" + why + "): this host's KVM lacks the Hyper-V enlightenments"
                        + (missing.isEmpty() ? "" : " (" + missing + ")"),
                "see javisor doctor; use a kernel with CONFIG_KVM_HYPERV and kvm_intel or kvm_amd, or the lab");
    }

    /** A reset right after a panic was one: {@code panic=-1} makes Linux reset when it has said why. */
    static Outcome panicBehind(Outcome how, @Nullable String crashReport, Console console) {
        if (!(how instanceof Outcome.Reset)) {
            return how;
        }
        String message = panicIn(console.tail(100));
        if (message == null && crashReport != null) {
            String said = panicIn(crashReport);
            message = said != null ? said : "reported by the guest's crash registers";
        }
        return message == null ? how : new Outcome.Panicked(message);
    }

    private static @Nullable String panicIn(String log) {
        Matcher m = PANIC.matcher(log);
        String message = null;
        while (m.find()) {
            message = m.group(1);
        }
        return message;
    }

    /** How a run ended, for whoever waited for something else; null if it was stopped from outside. */
    static String ending(@Nullable Outcome how, Console console) {
        Outcome meaning = how == null ? new Outcome.Killed() : panicBehind(how, null, console);
        return meaning + evidence(console);
    }

    private static String evidence(Console console) {
        String tail = console.tail(TAIL_LINES);
        return tail.isBlank() ? "; the console is empty" : "; the console's last lines:\n" + tail.stripTrailing();
    }
}
