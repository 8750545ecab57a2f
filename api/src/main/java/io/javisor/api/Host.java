package io.javisor.api;

import io.javisor.api.management.HostManagement;
import io.javisor.kvm.Capability;
import io.javisor.kvm.Kvm;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.storvsp.StorageWorkers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.management.MBeanServer;

/** What this host can do for virtual machines. */
public final class Host {
    private static final Path SHMEM_HUGE = Path.of("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    private static final Path PVM = Path.of("/sys/module/kvm_pvm");

    private Host() {}

    /** Looks at everything; takes a tenth of a second at most, and changes nothing. */
    public static HostReport check() {
        return check(Kvm.DEVICE, PVM, SHMEM_HUGE);
    }

    /**
     * Registers the host as a management bean ({@link io.javisor.api.management.HostMXBean}).
     *
     * @return close it to take the bean out of the server
     * @throws HypervisorException code {@code jmx} if the server refuses it, or has it already
     */
    public static HostManagement manage(MBeanServer server) {
        return ManagedHost.register(server);
    }

    static HostReport check(Path device, Path pvm, Path shmemHuge) {
        var checks = new ArrayList<HostCheck>();
        boolean hyperV = false;
        Optional<String> emulated = Optional.empty();
        try (Kvm kvm = Kvm.open(device)) {
            checks.add(HostCheck.ok("kvm", device + ", API version " + kvm.apiVersion()));
            checks.add(HostCheck.ok("vcpus", kvm.maxVcpus() + " vCPUs a machine"));
            checks.add(HostCheck.ok("memory-slots", kvm.maxMemorySlots() + " memory slots a machine"));
            emulated = Files.exists(pvm)
                    ? Optional.of("KVM here is kvm_pvm, which emulates guests that don't know it")
                    : SpeedProbe.emulated(kvm);
            checks.add(emulated.<HostCheck>map(why -> new HostCheck(
                            "native-speed",
                            HostCheck.Status.MISSING,
                            why,
                            "stock kernels take minutes to boot; tiny guests and the typed KVM layer work",
                            "use a host with VMX or SVM, or the lab (lab/run, javisor run --lab)"))
                    .orElse(HostCheck.ok("native-speed", "guest code runs on the processor")));
            hyperV = capabilities(kvm, checks);
        } catch (HypervisorException e) {
            checks.add(new HostCheck(
                    e.code(),
                    HostCheck.Status.FATAL,
                    String.valueOf(e.getMessage()),
                    "no machine can run on this host itself",
                    e.remedy() == null ? "" : e.remedy()));
        }
        checks.add(sharedHugePages(shmemHuge));
        checks.add(ioUring());
        return new HostReport(checks, hyperV, emulated);
    }

    /** What single capabilities are good for; gives whether all of Hyper-V's are there. */
    private static boolean capabilities(Kvm kvm, List<HostCheck> checks) {
        String bus = "no VMBus devices (integration services, SCSI, network, dynamic memory) and no reference TSC";
        String kernel = "a kernel with CONFIG_KVM_HYPERV and kvm_intel or kvm_amd";
        boolean all = true;
        all &= capability(kvm, checks, "hyperv", Capability.HYPERV, bus, kernel);
        all &= capability(kvm, checks, "hyperv-synic2", Capability.HYPERV_SYNIC2, bus, kernel);
        all &= capability(kvm, checks, "hyperv-cpuid", Capability.HYPERV_CPUID, bus, kernel);
        all &= capability(kvm, checks, "hyperv-eventfd", Capability.HYPERV_EVENTFD, bus, kernel);
        all &= capability(kvm, checks, "hyperv-time", Capability.HYPERV_TIME, bus, kernel);
        String newer = "a newer host kernel";
        capability(kvm, checks, "irqfd", Capability.IRQFD, "no device can raise interrupts from its own thread", newer);
        capability(kvm, checks, "ioeventfd", Capability.IOEVENTFD, "doorbells cost an exit each", newer);
        capability(
                kvm,
                checks,
                "user-space-msr",
                Capability.X86_USER_SPACE_MSR,
                "accesses to unknown MSRs are not counted",
                newer + " (5.10)");
        capability(
                kvm,
                checks,
                "dirty-ring",
                Capability.DIRTY_LOG_RING,
                "changed memory is found by scanning a bitmap",
                newer + " (5.11)");
        capability(
                kvm,
                checks,
                "tsc-control",
                Capability.TSC_CONTROL,
                "a saved machine resumes only on hosts with the same TSC frequency",
                "a processor with TSC scaling");
        return all;
    }

    private static boolean capability(
            Kvm kvm, List<HostCheck> checks, String code, Capability capability, String cost, String remedy) {
        boolean there = kvm.has(capability);
        checks.add(
                there
                        ? HostCheck.ok(code, capability.kernelName())
                        : new HostCheck(
                                code,
                                HostCheck.Status.MISSING,
                                "no " + capability.kernelName(),
                                cost,
                                "use " + remedy));
        return there;
    }

    private static HostCheck ioUring() {
        String refusal = StorageWorkers.ringRefusal();
        return refusal == null
                ? HostCheck.ok("io-uring", "disks wait for files in the kernel")
                : new HostCheck(
                        "io-uring",
                        HostCheck.Status.MISSING,
                        refusal,
                        "a thread waits for each request of a disk that is not in the page cache",
                        "use a kernel from 5.6 on, with kernel.io_uring_disabled=0, and a container that allows io_uring");
    }

    private static HostCheck sharedHugePages(Path setting) {
        try {
            String text = Files.readString(setting).strip();
            if (!text.contains("[never]") && !text.contains("[deny]")) {
                return HostCheck.ok("shared-huge-pages", "shmem_enabled: " + text);
            }
            return new HostCheck(
                    "shared-huge-pages",
                    HostCheck.Status.MISSING,
                    "shmem_enabled: " + text,
                    "guest memory comes in 4 KiB pages: a boot takes up to twice the time",
                    "echo advise > " + setting);
        } catch (IOException e) {
            return new HostCheck(
                    "shared-huge-pages",
                    HostCheck.Status.MISSING,
                    "can't read " + setting,
                    "guest memory comes in 4 KiB pages: a boot takes up to twice the time",
                    "use a kernel with CONFIG_TRANSPARENT_HUGEPAGE");
        }
    }
}
