package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.scsi.DiskUnit;
import java.time.Duration;
import java.util.List;

/**
 * Two machines share a LUN of a SAN in this process: what one writes the other reads, and to both it is the same disk.
 *
 * <pre>
 * java --enable-native-access=io.javisor.linux -p ... -m io.javisor.examples/io.javisor.examples.SharedLun
 * </pre>
 */
public final class SharedLun {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private SharedLun() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        try (Disk image = DiskImage.memory("shared", MemorySize.mib(16), 512);
                SoftwareSan san = SoftwareSan.of("example")) {
            san.add("shared", new DiskUnit(image)).present(5);
            try (VirtualMachine writer = machine("writer", san);
                    VirtualMachine reader = machine("reader", san)) {
                for (VirtualMachine vm : List.of(writer, reader)) {
                    vm.start();
                }
                for (VirtualMachine vm : List.of(writer, reader)) {
                    vm.await(Wait.forShell(), PATIENCE);
                    String disk = disk(vm);
                    System.out.printf(
                            "%s logged in as %s, and its LUN 5 is %s%n",
                            vm.spec().name(),
                            said(vm, "cat /sys/class/fc_host/host*/port_name"),
                            said(vm, "cat /sys/block/" + disk + "/device/wwid"));
                }
                said(
                        writer,
                        "echo hello from the writer | dd of=/dev/" + disk(writer) + " conv=fsync,sync 2>/dev/null");
                System.out.println("the reader finds: " + said(reader, "head -n 1 /dev/" + disk(reader)));
            }
        }
    }

    private static VirtualMachine machine(String name, SoftwareSan san) {
        return VirtualMachine.builder(name)
                .memory(MemorySize.mib(256))
                .linux(l -> l.debian("6.12-cloud"))
                .fibreChannel(f -> f.connect(san))
                .build();
    }

    private static String disk(VirtualMachine vm) {
        return said(
                vm,
                "for i in $(seq 200); do ls /sys/bus/scsi/devices/*:0:0:5/block 2>/dev/null && break; sleep 0.1; done");
    }

    private static String said(VirtualMachine vm, String command) {
        return vm.exec("sh", "-c", command).orThrow().stdoutText().strip();
    }
}
