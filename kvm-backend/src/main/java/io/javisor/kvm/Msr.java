package io.javisor.kvm;

/**
 * A model-specific register and its value.
 *
 * @param index its number, unsigned
 * @param value its 64 bits
 */
public record Msr(int index, long value) {
    /** Number and value in hexadecimal. */
    @Override
    public String toString() {
        return String.format("MSR %08x = %016x", index, value);
    }
}
