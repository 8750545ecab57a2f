package io.javisor.api.exec;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * What became of a program in the guest. The arrays are the result's own: don't write to them.
 *
 * @param exitCode 0 to 255 as a shell gives it: 126 not executable, 127 not found, 128 + n ended by signal n
 * @param stdout bytes of standard output; empty if the request sent them to a stream
 * @param stderr bytes of standard error; empty if the request sent them to a stream
 * @param time from start to end, by the host's clock
 * @param timedOut whether it was killed because its time was up
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record ExecResult(int exitCode, byte[] stdout, byte[] stderr, Duration time, boolean timedOut) {

    /** Standard output as UTF-8. */
    public String stdoutText() {
        return new String(stdout, StandardCharsets.UTF_8);
    }

    /** Standard error as UTF-8. */
    public String stderrText() {
        return new String(stderr, StandardCharsets.UTF_8);
    }

    /** Whether the exit code is 0 and time was not up. */
    public boolean succeeded() {
        return exitCode == 0 && !timedOut;
    }

    /**
     * This, if it succeeded.
     *
     * @throws ExecException with code {@code exec-failed} and standard error's tail
     */
    public ExecResult orThrow() {
        if (!succeeded()) {
            throw ExecException.failed(this);
        }
        return this;
    }

    @Override
    public String toString() {
        return "ExecResult[exitCode=" + exitCode + ", stdout=" + stdout.length + " bytes, stderr=" + stderr.length
                + " bytes, time=" + time.toMillis() + " ms" + (timedOut ? ", timed out]" : "]");
    }
}
