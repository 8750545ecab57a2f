package io.javisor.devices;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.acpi.AcpiGenerationCounter;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Sixteen bytes of guest memory that are different whenever the guest may live a moment twice: after a checkpoint is applied
 * or a machine is cloned, but not after a pause or a live migration (Microsoft, "Virtual Machine Generation ID"). Linux then
 * reseeds its random numbers. The machine decides which it is and calls {@link #renew()}, once all devices are restored.
 */
public final class VmGenerationId implements Stateful {
    /** Bytes of the ID. */
    public static final int LENGTH = 16;

    static final String NAME = "VGEN";

    private final GuestMemory memory;
    private final long gpa;
    private final EventRegister events;
    private final Supplier<UUID> source;

    /**
     * An ID in guest memory; {@link #place()} writes it.
     *
     * @param gpa its guest-physical address, a multiple of 8, in memory that the guest is told to leave alone
     * @param events the register that tells the guest of a new one
     * @param source of new IDs: {@code UUID::randomUUID}
     */
    public VmGenerationId(GuestMemory memory, long gpa, EventRegister events, Supplier<UUID> source) {
        this.memory = memory;
        this.gpa = gpa;
        this.events = events;
        this.source = source;
    }

    /** What ACPI says of it. */
    public AcpiGenerationCounter describe() {
        return new AcpiGenerationCounter(NAME, 0, gpa);
    }

    /** Writes a first ID, before the guest runs. */
    public void place() {
        UUID id = source.get();
        // Little-endian as a GUID is: time fields swapped, the last eight bytes in order.
        var bytes = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        long high = id.getMostSignificantBits();
        bytes.putInt((int) (high >>> 32)).putShort((short) (high >>> 16)).putShort((short) high);
        bytes.order(ByteOrder.BIG_ENDIAN).putLong(id.getLeastSignificantBits());
        memory.write(gpa, bytes.array());
    }

    /** Writes a new ID and tells the guest. */
    public void renew() {
        place();
        events.raise(EventRegister.NEW_GENERATION);
    }

    @Override
    public String stateName() {
        return "generation-id";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** The ID itself travels with the guest's memory. */
    @Override
    public void save(StateWriter out) {
        out.put("gpa", gpa);
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        long at = in.getLong("gpa");
        if (at != gpa) {
            throw new StateException("generation-id.gpa: the guest was told 0x" + Long.toHexString(at)
                    + ", this machine has it at 0x" + Long.toHexString(gpa));
        }
    }
}
