package io.javisor.kvm;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The registers of a vCPU as text, for the message of an error that ends a guest, and the errors themselves. Immutable. */
public final class VcpuDump {
    private final int vcpu;
    private final String registers;
    private final byte[] code;

    private VcpuDump(int vcpu, String registers, byte... code) {
        this.vcpu = vcpu;
        this.registers = registers;
        this.code = code;
    }

    /** The registers of a vCPU that is not running. */
    public static VcpuDump of(Vcpu vcpu) {
        return new VcpuDump(vcpu.id(), vcpu.regs() + System.lineSeparator() + vcpu.sregs());
    }

    /** The same with the bytes at the instruction pointer. */
    public VcpuDump withCode(byte... bytes) {
        return new VcpuDump(vcpu, registers, bytes.clone());
    }

    /**
     * The error that an exit means which a guest cannot go on from.
     *
     * @param exit {@link Exit.InternalError}, {@link Exit.FailEntry}, {@link Exit.Shutdown}, {@link Exit.Unknown} or any
     *     other that the caller cannot handle
     */
    public KvmException error(Exit exit) {
        return switch (exit) {
            case Exit.InternalError e -> failure("kvm-internal-error", internal(e), "report it with the registers");
            case Exit.FailEntry e ->
                failure(
                        "kvm-fail-entry",
                        "the processor refused the vCPU's state: reason 0x" + Long.toHexString(e.hardwareReason())
                                + " on CPU " + e.cpu(),
                        "check the segment and control registers that were set");
            case Exit.Shutdown ignored ->
                failure(
                        "kvm-shutdown",
                        "the guest shut down: a triple fault",
                        "look at the guest's console and at the instruction pointer");
            case Exit.Unknown e ->
                failure(
                        "kvm-unknown-exit",
                        "exit " + e.reason() + " is unknown, hardware reason 0x" + Long.toHexString(e.hardwareReason()),
                        "report it with the kernel's version");
            default ->
                failure("kvm-unknown-exit", "nothing handles " + exit.getClass().getSimpleName(), null);
        };
    }

    private static String internal(Exit.InternalError e) {
        String kind = switch (e.kind()) {
            case Exit.InternalError.EMULATION -> "an instruction could not be emulated";
            case Exit.InternalError.SIMULTANEOUS_EXCEPTIONS -> "exceptions at the same time";
            case Exit.InternalError.DELIVERY -> "an exit during the delivery of an event";
            case Exit.InternalError.UNEXPECTED_EXIT -> "an unexpected exit";
            default -> "kind " + e.kind();
        };
        StringBuilder text = new StringBuilder("KVM cannot go on: ").append(kind);
        byte[] instruction = e.instruction();
        if (instruction.length > 0) {
            text.append(": ").append(hex(instruction));
        } else if (e.dataCount() > 0) {
            text.append("; data");
            for (int i = 0; i < e.dataCount(); i++) {
                text.append(" 0x").append(Long.toHexString(e.data(i)));
            }
        }
        return text.toString();
    }

    private KvmException failure(String code, String what, @Nullable String remedy) {
        return new KvmException(
                code, "vCPU " + vcpu + ": " + what + System.lineSeparator() + this, "KVM_RUN", 0, remedy, null);
    }

    private static String hex(byte... bytes) {
        return HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    /** The registers, and the code if there is any. */
    @Override
    public String toString() {
        String text = "vCPU " + vcpu + System.lineSeparator() + registers;
        return code.length == 0 ? text : text + System.lineSeparator() + "code " + hex(code);
    }
}
