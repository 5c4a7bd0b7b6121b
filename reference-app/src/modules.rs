//! The wiring page: platform to modules to application.

use std::sync::Arc;

use accounts::{AccountsModule, AccountsPorts};
use customers::{CustomersModule, CustomersPorts};
use dolmen::{App, AppBuilder, Role};
use dolmen_poem::{BoundAddress, ManagementRole, WebRole, object_downloads};
use invoices::{InvoicesModule, InvoicesPorts};
use notifications::{NotificationsModule, NotificationsPorts};
use reports::{ReportsModule, ReportsPorts};

use crate::config::Config;
use crate::platform::Platform;

/// The application, and where its ports will listen.
#[derive(Debug)]
#[non_exhaustive]
pub struct Wired {
    /// The application.
    pub app: App,
    /// Where the API listens, once it does.
    pub web: BoundAddress,
    /// Where probes and operations listen, once they do.
    pub management: BoundAddress,
}

/// The whole application: the modules, the public port and the management port.
pub fn wire(config: &Config, platform: &Platform) -> Wired {
    let downloads = object_downloads(Arc::clone(&platform.objects), Arc::clone(&platform.links));
    let web = WebRole::new(config.http.clone(), Arc::clone(&platform.authenticator)).with_routes(downloads);
    let management = ManagementRole::new(config.management.clone());
    // For platforms that look at one port only. A developer's machine has one such port for all processes.
    let probes_on_port = config.app.environment.is_production() && !config.app.roles.contains(Role::Web);
    let management = if probes_on_port { management.with_probes_on(config.http.clone()) } else { management };
    let (web_address, management_address) = (web.address(), management.address());
    let app = modules(config, platform, App::builder(platform.app.clone()))
        .settings(config.app.clone())
        .runner(web)
        .runner(management)
        .build();
    Wired { app, web: web_address, management: management_address }
}

/// The modules, each with the ports that it names.
pub fn modules(config: &Config, platform: &Platform, builder: AppBuilder) -> AppBuilder {
    let app = &platform.app;
    let (database, clock, ids) = (app.database(), app.clock(), app.ids());
    let accounts = AccountsModule::new(AccountsPorts {
        database: database.clone(),
        sessions: platform.sessions.clone(),
        audit: platform.audit.clone(),
        demo: config.has_demo(),
    });
    let customers = CustomersModule::new(CustomersPorts {
        database: database.clone(),
        audit: platform.audit.clone(),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    });
    let invoices = InvoicesModule::new(InvoicesPorts {
        database: database.clone(),
        customers: customers.api(),
        events: app.events(),
        inbox: Arc::clone(&platform.inbox),
        audit: platform.audit.clone(),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    });
    let notifications = NotificationsModule::new(NotificationsPorts {
        database: database.clone(),
        accounts: accounts.api(),
        customers: customers.api(),
        mailer: Arc::clone(&platform.mailer),
        from: config.mail_from.clone(),
        clock: Arc::clone(clock),
    });
    let reports = ReportsModule::new(ReportsPorts {
        database: database.clone(),
        accounts: accounts.api(),
        invoices: invoices.api(),
        objects: Arc::clone(&platform.objects),
        jobs: app.jobs(),
        audit: platform.audit.clone(),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    });
    builder.module(accounts).module(customers).module(invoices).module(notifications).module(reports)
}
