package io.javisor.kvm;

/**
 * GDTR or IDTR: struct kvm_dtable.
 *
 * @param base linear address
 * @param limit size in bytes less one, 16 bits
 */
public record DescriptorTable(long base, int limit) {
    /** Base and limit in hexadecimal. */
    @Override
    public String toString() {
        return String.format("base %016x limit %04x", base, limit);
    }
}
