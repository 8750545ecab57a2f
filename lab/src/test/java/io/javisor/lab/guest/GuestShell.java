package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import java.time.Duration;

/** Runs shell commands in a guest. */
final class GuestShell {
    private final VirtualMachine vm;

    GuestShell(VirtualMachine vm) {
        this.vm = vm;
    }

    /** Runs commands that must succeed; what they wrote, without the last line's end. */
    String run(String script) {
        ExecResult result = tryRun(script);
        assertThat(result.exitCode())
                .as("%s%n%s%n%s", script, result.stdoutText(), result.stderrText())
                .isZero();
        return result.stdoutText().stripTrailing();
    }

    /** Runs commands that may fail. */
    ExecResult tryRun(String script) {
        return vm.exec(ExecRequest.command("sh", "-c", script)
                .timeout(Duration.ofMinutes(2))
                .build());
    }

    /** The block device with an address on the first controller, as {@code sda}; waits for it to come. */
    String device(int lun) {
        return run("for i in $(seq 200); do for d in /sys/bus/scsi/devices/*:0:0:" + lun + "/block/*; do"
                + " [ -e $d ] && [ -b /dev/${d##*/} ] && echo ${d##*/} && exit; done; sleep 0.1; done; exit 1");
    }

    /** SHA-256 of what is read from a file or device in the guest, past its cache. */
    String sha256(String path) {
        run("echo 3 >/proc/sys/vm/drop_caches");
        return run("sha256sum <" + path).replaceAll(" .*", "");
    }
}
