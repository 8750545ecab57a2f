package io.javisor.devices;

import io.javisor.partition.PowerPort;
import io.javisor.partition.bus.IoDevice;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;

/**
 * PCI configuration mechanism 1 (PCI Local Bus 3.0 section 3.2.2.3.2) over an empty bus, and the reset control register that
 * chipsets keep between its ports. Safe from any thread.
 *
 * <pre>
 * 0xCF8  configuration address, 32-bit accesses only: enable 31 | bus 23:16 | device 15:11 | function 10:8 | register 7:2
 * 0xCF9  reset control, 8-bit accesses only: bit 2 going from 0 to 1 resets
 * 0xCFC  configuration data, 8, 16 or 32 bits at any of its four ports
 * </pre>
 *
 * <p>The bus has no functions: every vendor ID reads as all ones. Only the class of 0:0.0 says "host bridge", because Linux
 * looks for that before it believes the mechanism works; without it the kernel prints a fatal error and tries others, and a
 * full function there would cost a hundred accesses more to enumerate.
 */
public final class PciHostBridge implements IoDevice, Stateful {
    private static final int ENABLE = 0x8000_0000;
    /** Bits of the address that can be set: reserved ones and the two lowest are hard-wired to 0. */
    private static final int ADDRESS_BITS = 0x80FF_FFFC;
    /** Revision ID and class code, at register 8. */
    private static final int CLASS_OF_HOST = ENABLE | 0x08;
    /** Base class 06 (bridge), subclass 00 (host), interface 0, revision 0; all ones beyond its 32 bits. */
    private static final long HOST_BRIDGE = 0xFFFF_FFFF_0600_0000L;

    private static final int RESET_CONTROL = 1;
    private static final int RESET_PROCESSOR = 0x04;
    private static final int RESET_CONTROL_BITS = 0x0E;
    private static final int DATA = 4;

    private final PowerPort power;
    private volatile int address;
    private volatile int resetControl;

    /** @param power what is told of a reset */
    public PciHostBridge(PowerPort power) {
        this.power = power;
    }

    @Override
    public long read(long offset, int size) {
        if (offset == 0 && size == 4) {
            return address & 0xFFFF_FFFFL;
        }
        if (offset == RESET_CONTROL && size == 1) {
            return resetControl;
        }
        if (offset >= DATA && address == CLASS_OF_HOST) {
            // A data access may start anywhere in the register; what lies beyond it is nobody's.
            return HOST_BRIDGE >> (8 * (offset - DATA));
        }
        return -1L;
    }

    @Override
    public void write(long offset, int size, long value) {
        if (offset == 0 && size == 4) {
            address = (int) value & ADDRESS_BITS;
        } else if (offset == RESET_CONTROL && size == 1) {
            boolean was = (resetControl & RESET_PROCESSOR) != 0;
            resetControl = (int) value & RESET_CONTROL_BITS;
            if (!was && (value & RESET_PROCESSOR) != 0) {
                power.reset();
            }
        }
    }

    /** Back to power-on. */
    public void reset() {
        address = 0;
        resetControl = 0;
    }

    @Override
    public String stateName() {
        return "pci-host-bridge";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        out.put("address", address & 0xFFFF_FFFFL).put("resetControl", resetControl);
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        long at = in.getLong("address");
        if ((at & ~(ADDRESS_BITS & 0xFFFF_FFFFL)) != 0) {
            throw new StateException("pci-host-bridge.address: 0x" + Long.toHexString(at) + " has reserved bits");
        }
        int control = in.getInt("resetControl", 0, RESET_CONTROL_BITS);
        address = (int) at;
        resetControl = control;
    }
}
