package io.javisor.lab.junit;

import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.PostDiscoveryFilter;

/** Keeps Jupiter on this side from running lab tests here. The launcher finds it by itself. */
public final class LabDiscoveryFilter implements PostDiscoveryFilter {
    @Override
    public FilterResult apply(TestDescriptor descriptor) {
        boolean foreign =
                !descriptor.getUniqueId().getEngineId().orElse("").equals(LabTestEngine.JUPITER) || Agent.isInside();
        return FilterResult.includedIf(foreign || !belongsToLabTest(descriptor));
    }

    /** The launcher asks about leaves only. */
    private static boolean belongsToLabTest(TestDescriptor descriptor) {
        return isLabTest(descriptor)
                || descriptor
                        .getParent()
                        .map(LabDiscoveryFilter::belongsToLabTest)
                        .orElse(false);
    }

    /** Whether a descriptor is that of a class whose tests belong into the lab. */
    static boolean isLabTest(TestDescriptor descriptor) {
        return descriptor.getSource().orElse(null) instanceof ClassSource source
                && AnnotationSupport.isAnnotated(source.getJavaClass(), LabTest.class);
    }
}
