@NullMarked
package io.javisor.api;

import org.jspecify.annotations.NullMarked;
