@NullMarked
package io.javisor.vmbus;

import org.jspecify.annotations.NullMarked;
