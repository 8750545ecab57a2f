package io.javisor.api.exec;

import io.javisor.partition.HypervisorException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A program in the guest could not be run to its end. The code says why:
 *
 * <ul>
 *   <li>{@code exec-timeout}: its time was up and it was killed; {@link #captured()} has what it had printed
 *   <li>{@code exec-no-shell}: no shell answered on the second serial port; nothing was run
 *   <li>{@code exec-shell-lost}: the shell went away meanwhile; whether the program went on is not known
 *   <li>{@code exec-output-limit}: it ended, but printed more than the request allows; {@link #captured()} has the beginning
 *   <li>{@code exec-no-room}: the guest has no writable folder, or it is full
 *   <li>{@code exec-failed}: it ended with another exit code than 0 ({@link ExecResult#orThrow()})
 *   <li>{@code exec-closed}: the machine's run ended
 *   <li>{@code exec-interrupted}: the calling thread was interrupted; the program was killed
 *   <li>{@code exec-output}: a stream that the request gave failed
 * </ul>
 */
public final class ExecException extends HypervisorException {
    private static final long serialVersionUID = 1L;
    private static final int TAIL = 2000;

    private final transient @Nullable ExecResult captured;

    ExecException(
            String code,
            String message,
            @Nullable String remedy,
            @Nullable ExecResult captured,
            @Nullable Throwable cause) {
        super(code, message, null, 0, remedy, cause);
        this.captured = captured;
    }

    static ExecException failed(ExecResult result) {
        String err = result.stderrText();
        String tail = err.length() <= TAIL ? err : "…" + err.substring(err.length() - TAIL);
        return new ExecException(
                "exec-failed",
                "program in the guest ended with exit code " + result.exitCode()
                        + (tail.isBlank() ? "" : "; standard error:\n" + tail.stripTrailing()),
                null,
                result,
                null);
    }

    /** What the program had done by then, if it had begun. */
    public Optional<ExecResult> captured() {
        return Optional.ofNullable(captured);
    }
}
