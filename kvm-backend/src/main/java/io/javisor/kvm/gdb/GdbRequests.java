package io.javisor.kvm.gdb;

import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.Vcpu;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Answers requests about a held guest: threads, registers, memory, breakpoints. */
final class GdbRequests {
    private static final int MOST_MEMORY = PacketStream.MOST_BYTES / 2 - 16;
    private static final byte[] DESCRIPTION = Register.description().getBytes(StandardCharsets.UTF_8);

    private final GdbTarget target;
    private final GuestView view;
    private final Breakpoints breakpoints;
    private volatile int chosen; // for registers and memory: Hg
    private volatile int resumed; // for s: Hc

    GdbRequests(GdbTarget target, GuestView view, Breakpoints breakpoints) {
        this.target = target;
        this.view = view;
        this.breakpoints = breakpoints;
    }

    int count() {
        return target.vcpus().size();
    }

    int chosen() {
        return chosen;
    }

    int resumed() {
        return resumed;
    }

    void choose(int vcpu) {
        chosen = vcpu;
        resumed = vcpu;
    }

    private Vcpu vcpu() {
        return target.vcpus().get(chosen);
    }

    /**
     * Answers a request; with nothing if it is none that we know, as the protocol wants it.
     *
     * @throws GdbError if it can't be done
     */
    String answer(String text, byte... payload) {
        if (text.isEmpty()) {
            return "";
        }
        String rest = text.substring(1);
        return switch (text.charAt(0)) {
            case 'g' -> new RegisterFile(vcpu()).all();
            case 'G' -> {
                new RegisterFile(vcpu()).writeAll(Hex.bytes(rest));
                yield "OK";
            }
            case 'p' -> new RegisterFile(vcpu()).read(register(rest));
            case 'P' -> {
                String[] parts = split(rest, "=", 2);
                new RegisterFile(vcpu()).write(register(parts[0]), Hex.bytes(parts[1]));
                yield "OK";
            }
            case 'm' -> read(rest);
            case 'M' -> {
                String[] parts = split(rest, ":", 2);
                yield write(parts[0], Hex.bytes(parts[1]));
            }
            case 'X' -> {
                int colon = text.indexOf(':');
                if (colon < 0) {
                    throw new GdbError(GdbError.INVALID);
                }
                yield write(text.substring(1, colon), Arrays.copyOfRange(payload, colon + 1, payload.length));
            }
            case 'Z' -> breakpoint(rest, true);
            case 'z' -> breakpoint(rest, false);
            case 'H' -> chooseThread(rest);
            case 'T' -> {
                thread(rest);
                yield "OK";
            }
            case 'q' -> query(text);
            default -> "";
        };
    }

    private String query(String text) {
        if (text.startsWith("qXfer:features:read:target.xml:")) {
            return part(text.substring("qXfer:features:read:target.xml:".length()));
        }
        if (text.startsWith("qThreadExtraInfo,")) {
            int vcpu = thread(text.substring("qThreadExtraInfo,".length()));
            String state = target.vcpus().get(vcpu).state().mpState().name().toLowerCase(java.util.Locale.ROOT);
            return Hex.of(("vCPU " + vcpu + ", " + state.replace('_', ' ')).getBytes(StandardCharsets.UTF_8));
        }
        if (text.startsWith("qSymbol")) {
            return "OK";
        }
        return switch (text) {
            case "qfThreadInfo" ->
                IntStream.rangeClosed(1, count())
                        .mapToObj(Integer::toHexString)
                        .collect(Collectors.joining(",", "m", ""));
            case "qsThreadInfo" -> "l";
            case "qC" -> "QC" + Integer.toHexString(chosen + 1);
            case "qAttached" -> "1"; // so that gdb lets the guest go on when it ends
            default -> "";
        };
    }

    /** A part of the target description: m if there is more, l if it is the last. */
    private static String part(String range) {
        String[] parts = split(range, ",", 2);
        int from = Math.min(Hex.number(parts[0], Integer.MAX_VALUE), DESCRIPTION.length);
        int to = (int) Math.min((long) from + Hex.number(parts[1], Integer.MAX_VALUE), DESCRIPTION.length);
        to = Math.min(to, from + MOST_MEMORY);
        return (to < DESCRIPTION.length ? "m" : "l")
                + new String(DESCRIPTION, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private String chooseThread(String rest) {
        if (rest.isEmpty()) {
            throw new GdbError(GdbError.INVALID);
        }
        String id = rest.substring(1);
        int vcpu = id.equals("-1") || id.equals("0") ? chosen : thread(id);
        switch (rest.charAt(0)) {
            case 'g' -> chosen = vcpu;
            case 'c' -> resumed = vcpu;
            default -> throw new GdbError(GdbError.INVALID);
        }
        return "OK";
    }

    private int thread(String id) {
        long number = Hex.number(id);
        if (number < 1 || number > count()) {
            throw new GdbError(GdbError.NO_THREAD);
        }
        return (int) number - 1;
    }

    private static Register register(String number) {
        return Register.ALL.get(Hex.number(number, Register.ALL.size() - 1));
    }

    private String read(String range) {
        String[] parts = split(range, ",", 2);
        long address = Hex.number(parts[0]);
        byte[] bytes = view.read(vcpu(), address, Math.min(Hex.number(parts[1], Integer.MAX_VALUE), MOST_MEMORY));
        breakpoints.hide(address, bytes);
        return Hex.of(bytes);
    }

    private String write(String range, byte... bytes) {
        String[] parts = split(range, ",", 2);
        long address = Hex.number(parts[0]);
        if (Hex.number(parts[1], Integer.MAX_VALUE) != bytes.length) {
            throw new GdbError(GdbError.INVALID);
        }
        byte[] written = bytes.clone();
        breakpoints.keep(address, written);
        view.write(vcpu(), address, written);
        return "OK";
    }

    /** Inserts or removes one; the kinds of gdb's Z packets: 0 software, 1 hardware, 2 writes, 3 reads, 4 both. */
    private String breakpoint(String rest, boolean insert) {
        String[] parts = split(rest, ",", 3);
        long address = Hex.number(parts[1]);
        int kind = Hex.number(parts[2].split(";", 2)[0], 16);
        switch (parts[0]) {
            case "0" -> {
                if (insert) {
                    breakpoints.addSoftware(vcpu(), address);
                } else {
                    breakpoints.removeSoftware(address);
                }
            }
            case "1" -> hardware(address, GuestDebug.Kind.EXECUTE, 1, insert);
            case "2" -> hardware(address, GuestDebug.Kind.WRITE, kind, insert);
            case "4" -> hardware(address, GuestDebug.Kind.ACCESS, kind, insert);
            default -> {
                return ""; // the processor has none for reads alone
            }
        }
        return "OK";
    }

    private void hardware(long address, GuestDebug.Kind kind, int length, boolean insert) {
        GuestDebug.Breakpoint breakpoint;
        try {
            breakpoint = new GuestDebug.Breakpoint(address, kind, length);
        } catch (IllegalArgumentException e) {
            throw new GdbError(GdbError.INVALID);
        }
        if (insert) {
            breakpoints.addHardware(breakpoint);
        } else {
            breakpoints.removeHardware(breakpoint);
        }
    }

    private static String[] split(String text, String by, int count) {
        String[] parts = text.split(by, count);
        if (parts.length != count) {
            throw new GdbError(GdbError.INVALID);
        }
        return parts;
    }
}
