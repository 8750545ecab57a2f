package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_API_VERSION;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.linux.Errno;
import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * The host's KVM: {@code /dev/kvm}, opened. Safe from any thread. Closing it leaves the VMs that it made alone.
 */
public final class Kvm implements AutoCloseable {
    /** Where KVM is. */
    public static final Path DEVICE = Path.of("/dev/kvm");

    private final KvmDescriptor fd;
    private final int runSize;

    private Kvm(KvmDescriptor fd, int runSize) {
        this.fd = fd;
        this.runSize = runSize;
    }

    /**
     * Opens {@code /dev/kvm}.
     *
     * @throws KvmException with a code and a remedy for each reason that it can fail
     */
    public static Kvm open() {
        return open(DEVICE);
    }

    /** Opens KVM at another path, as a container may have it. */
    public static Kvm open(Path device) {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            throw new KvmException(
                    "kvm-architecture",
                    "KVM needs Linux on x86-64, this is " + System.getProperty("os.name") + " on "
                            + System.getProperty("os.arch"),
                    null,
                    0,
                    "run on a Linux host with an x86-64 processor and JVM",
                    null);
        }
        HostFile file;
        try {
            file = HostFile.open(device, HostFile.READ_WRITE);
        } catch (LinuxException e) {
            throw diagnose(device, e);
        }
        KvmDescriptor fd = new KvmDescriptor(file.descriptor());
        try {
            int version = fd.tryCall(Ioctl.KVM_GET_API_VERSION, 0);
            if (version < 0 && version != -Errno.ENOTTY) {
                throw KvmException.of(new LinuxException("KVM_GET_API_VERSION", device.toString(), -version));
            }
            if (version < 0) {
                throw new KvmException(
                        "kvm-not-kvm",
                        device + " is not KVM: KVM_GET_API_VERSION: " + Errno.name(-version),
                        "KVM_GET_API_VERSION",
                        -version,
                        "pass the path of KVM's device node (character device 10:232)",
                        null);
            }
            if (version != KVM_API_VERSION) {
                throw new KvmException(
                        "kvm-api-version",
                        device + " speaks KVM API version " + version + ", not " + KVM_API_VERSION,
                        "KVM_GET_API_VERSION",
                        0,
                        "use a Linux kernel from 2.6.22 on",
                        null);
            }
            return new Kvm(fd, fd.call(Ioctl.KVM_GET_VCPU_MMAP_SIZE, 0));
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    static KvmException diagnose(Path device, LinuxException e) {
        String code;
        String remedy;
        switch (e.errno()) {
            case Errno.ENOENT -> {
                code = "kvm-missing";
                remedy = "load the module: modprobe kvm_intel, or modprobe kvm_amd; in a container pass the device: "
                        + "--device /dev/kvm; in a virtual machine turn on nested virtualization";
            }
            case Errno.EACCES, Errno.EPERM -> {
                code = "kvm-permission";
                remedy =
                        "join the device's group and log in again: sudo usermod -aG kvm $USER; in a container pass the "
                                + "device: --device /dev/kvm";
            }
            case Errno.EBUSY -> {
                code = "kvm-busy";
                remedy = "stop the other hypervisor that uses the processor's virtualization: VirtualBox or VMware";
            }
            case Errno.ENODEV, Errno.ENXIO -> {
                code = "kvm-no-device";
                remedy = "turn on VT-x or AMD-V in the firmware, then load the module: modprobe kvm_intel, or "
                        + "modprobe kvm_amd";
            }
            default -> {
                return KvmException.of(e);
            }
        }
        return new KvmException(code, "cannot open " + device + ": " + e.getMessage(), e.call(), e.errno(), remedy, e);
    }

    /** The API's version, which has been 12 since 2007. */
    public int apiVersion() {
        return fd.call(Ioctl.KVM_GET_API_VERSION, 0);
    }

    /**
     * What the host can do.
     *
     * @return 0 for no; 1 for yes; or a size, limit or set of flags, as the capability says
     */
    public int check(Capability capability) {
        return fd.call(Ioctl.KVM_CHECK_EXTENSION, capability.number());
    }

    /** Whether the host can. */
    public boolean has(Capability capability) {
        return check(capability) > 0;
    }

    /** Most vCPUs that a VM may have. */
    public int maxVcpus() {
        int max = check(Capability.MAX_VCPUS);
        return max > 0 ? max : Math.max(4, check(Capability.NR_VCPUS));
    }

    /** Most memory slots that a VM may have. */
    public int maxMemorySlots() {
        int max = check(Capability.NR_MEMSLOTS);
        return max > 0 ? max : 32;
    }

    /** The CPUID leaves that KVM can give a guest (KVM_GET_SUPPORTED_CPUID). */
    public List<CpuidEntry> supportedCpuid() {
        return CpuidList.get(fd, Ioctl.KVM_GET_SUPPORTED_CPUID);
    }

    /** The CPUID leaves of features that KVM emulates though the host lacks them (KVM_GET_EMULATED_CPUID). */
    public List<CpuidEntry> emulatedCpuid() {
        if (!has(Capability.EXT_EMUL_CPUID)) {
            throw KvmException.lacks(Capability.EXT_EMUL_CPUID, "the list of emulated CPUID features");
        }
        return CpuidList.get(fd, Ioctl.KVM_GET_EMULATED_CPUID);
    }

    /** The Hyper-V CPUID leaves that KVM can give a guest (KVM_GET_SUPPORTED_HV_CPUID). */
    public List<CpuidEntry> supportedHypervCpuid() {
        if (!has(Capability.SYS_HYPERV_CPUID)) {
            throw KvmException.lacks(Capability.SYS_HYPERV_CPUID, "the list of Hyper-V CPUID leaves");
        }
        return CpuidList.get(fd, Ioctl.KVM_GET_SUPPORTED_HV_CPUID);
    }

    /** The MSRs that hold a guest's state, for saving (KVM_GET_MSR_INDEX_LIST). */
    public int[] msrIndexList() {
        return MsrList.indices(fd, Ioctl.KVM_GET_MSR_INDEX_LIST);
    }

    /** The MSRs that tell the host's features (KVM_GET_MSR_FEATURE_INDEX_LIST). */
    public int[] featureMsrIndexList() {
        return MsrList.indices(fd, Ioctl.KVM_GET_MSR_FEATURE_INDEX_LIST);
    }

    /** The values of feature MSRs. */
    public List<Msr> featureMsrs(int... indices) {
        return MsrList.get(fd, indices);
    }

    /**
     * Makes a VM without memory or vCPUs.
     *
     * @throws KvmException if the host refuses
     */
    public KvmVm createVm() {
        return new KvmVm(this, fd.open(Ioctl.KVM_CREATE_VM, 0, "KVM VM"), runSize);
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        fd.close();
    }

    /** A four-byte argument. */
    static int withInt(KvmDescriptor fd, Ioctl ioctl, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocateFrom(JAVA_INT, value);
            return fd.call(ioctl, argument, String.valueOf(value));
        }
    }
}
