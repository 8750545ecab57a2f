package io.javisor.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How much memory a machine may have while it runs. What it starts with is its boot memory; ranges are Hyper-V's.
 *
 * @param minimum bytes below which it is never asked to go; at most the boot memory
 * @param maximum bytes that it never exceeds; at least the boot memory
 * @param bufferPercent of its demand that it shall have besides, 5 to 2,000
 * @param weight what it gets, compared to others, when there is not enough: 0 to 10,000
 * @param reach bytes up to which the maximum can be raised while it runs; at least the maximum
 */
public record DynamicMemory(long minimum, long maximum, int bufferPercent, int weight, long reach) {
    /** Buffer unless said otherwise: 20 %. */
    public static final int DEFAULT_BUFFER = 20;

    /** Weight unless said otherwise: 5,000. */
    public static final int DEFAULT_WEIGHT = 5_000;

    /** Sizes are multiples of 2 MiB. */
    public static final long GRANULE = 2L << 20;

    /**
     * Describes; what is not said is the boot memory, 20 % and 5,000.
     *
     * @param boot the machine's boot memory in bytes
     */
    public static DynamicMemory of(long boot, Consumer<Builder> description) {
        var builder = new Builder(boot, boot, DEFAULT_BUFFER, DEFAULT_WEIGHT, 0);
        description.accept(builder);
        return builder.build();
    }

    /** The same with some values changed. */
    public DynamicMemory with(Consumer<Builder> changes) {
        var builder = new Builder(minimum, maximum, bufferPercent, weight, reach);
        changes.accept(builder);
        return builder.build();
    }

    /**
     * What is wrong with it.
     *
     * @param boot the machine's boot memory in bytes
     * @return {@code field: what}; empty if all is well
     */
    public List<String> problems(long boot) {
        var problems = new ArrayList<String>();
        if (minimum < 32L << 20 || minimum > boot || minimum % GRANULE != 0) {
            problems.add("minimum: is " + minimum + " bytes; a multiple of 2 MiB from 32 MiB to the boot memory of "
                    + boot + " bytes is possible");
        }
        if (maximum < boot || maximum % GRANULE != 0) {
            problems.add("maximum: is " + maximum + " bytes; a multiple of 2 MiB from the boot memory of " + boot
                    + " bytes on is possible");
        }
        if (bufferPercent < 5 || bufferPercent > 2_000) {
            problems.add("buffer: is " + bufferPercent + " %; 5 to 2000 are possible");
        }
        if (weight < 0 || weight > 10_000) {
            problems.add("weight: is " + weight + "; 0 to 10000 are possible");
        }
        if (reach < maximum || reach % GRANULE != 0) {
            problems.add("reach: is " + reach + " bytes; a multiple of 2 MiB from the maximum on is possible");
        }
        return problems;
    }

    /** Collects values. Not safe for several threads. */
    public static final class Builder {
        private long minimum;
        private long maximum;
        private int buffer;
        private int weight;
        private @Nullable Long reach;

        private Builder(long minimum, long maximum, int buffer, int weight, long reach) {
            this.minimum = minimum;
            this.maximum = maximum;
            this.buffer = buffer;
            this.weight = weight;
            this.reach = reach == 0 ? null : reach;
        }

        /** Sets the bytes below which the machine is never asked to go. */
        public Builder minimum(long bytes) {
            minimum = bytes;
            return this;
        }

        /** Sets the bytes that the machine never exceeds. */
        public Builder maximum(long bytes) {
            maximum = bytes;
            return this;
        }

        /** Sets what the machine shall have besides its demand, in percent of it: 5 to 2,000. */
        public Builder buffer(int percent) {
            buffer = percent;
            return this;
        }

        /** Sets what the machine gets, compared to others, when there is not enough: 0 to 10,000. */
        public Builder weight(int value) {
            weight = value;
            return this;
        }

        /** Sets how far the maximum can be raised while the machine runs; costs it addresses, not memory. */
        public Builder reach(long bytes) {
            reach = bytes;
            return this;
        }

        DynamicMemory build() {
            return new DynamicMemory(minimum, maximum, buffer, weight, reach == null ? maximum : reach);
        }
    }
}
