package io.javisor.lab.junit;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.support.descriptor.AbstractTestDescriptor;

/** A test or container of the lab, as this side knows it: Jupiter's descriptor without what runs it. */
final class LabDescriptor extends AbstractTestDescriptor {
    private final Type type;
    private final String legacyName;
    private final Set<TestTag> tags;
    private final boolean registersTests;

    LabDescriptor(
            UniqueId id,
            String displayName,
            String legacyName,
            @Nullable TestSource source,
            Type type,
            Set<TestTag> tags,
            boolean registersTests) {
        super(id, displayName, source);
        this.type = type;
        this.legacyName = legacyName;
        this.tags = Set.copyOf(tags);
        this.registersTests = registersTests;
    }

    /** Copies Jupiter's descriptor and all below it, under the engine with the given ID. */
    static LabDescriptor copy(TestDescriptor jupiter, UniqueId engine) {
        LabDescriptor copy = new LabDescriptor(
                swapEngine(jupiter.getUniqueId(), engine),
                jupiter.getDisplayName(),
                jupiter.getLegacyReportingName(),
                jupiter.getSource().orElse(null),
                jupiter.getType(),
                jupiter.getTags(),
                jupiter.mayRegisterTests());
        for (TestDescriptor child : jupiter.getChildren()) {
            copy.addChild(copy(child, engine));
        }
        return copy;
    }

    /** The same path below another engine. */
    static UniqueId swapEngine(UniqueId id, UniqueId engine) {
        UniqueId swapped = engine;
        for (UniqueId.Segment segment :
                id.getSegments().subList(1, id.getSegments().size())) {
            swapped = swapped.append(segment);
        }
        return swapped;
    }

    @Override
    public Type getType() {
        return type;
    }

    @Override
    public String getLegacyReportingName() {
        return legacyName;
    }

    @Override
    public Set<TestTag> getTags() {
        return tags;
    }

    @Override
    public boolean mayRegisterTests() {
        return registersTests;
    }
}
