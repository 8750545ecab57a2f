package io.javisor.storage.vhdx;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** What a differencing disk says of its parent: where it may be, and how to know that it is the one. */
public final class VhdxParent {
    private final ParentLocator locator;

    VhdxParent(ParentLocator locator) {
        this.locator = locator;
    }

    ParentLocator locator() {
        return locator;
    }

    /** Paths to try, in order, as the file has them: with backslashes, from its own folder or absolute. */
    public List<String> paths() {
        var paths = new ArrayList<String>();
        for (String key :
                List.of(ParentLocator.RELATIVE_PATH, ParentLocator.VOLUME_PATH, ParentLocator.ABSOLUTE_PATH)) {
            String path = locator.pairs().get(key);
            if (path != null) {
                paths.add(path);
            }
        }
        return paths;
    }

    /** Whether a disk with this data-write GUID is the one. */
    public boolean links(UUID dataWrite) {
        return locator.links(dataWrite);
    }

    @Override
    public String toString() {
        return locator.pairs().toString();
    }
}
