//! The wiring page: platform to modules to application.

use std::sync::Arc;

use accounts::{AccountsModule, AccountsPorts};
use customers::{CustomersModule, CustomersPorts};
use dolmen::{App, AppBuilder};
use dolmen_poem::{ManagementRole, WebRole, object_downloads};
use invoices::{InvoicesModule, InvoicesPorts};
use notifications::{NotificationsModule, NotificationsPorts};
use reports::{ReportsModule, ReportsPorts};

use crate::config::Config;
use crate::platform::{OBJECTS_PATH, Platform};

/// The whole application: the modules, the public port and the management port.
pub fn app(config: &Config, platform: &Platform) -> App {
    let downloads =
        object_downloads(OBJECTS_PATH, Arc::clone(&platform.objects), Arc::clone(&platform.links));
    let web = WebRole::new(config.http.clone(), Arc::clone(&platform.authenticator)).with_routes(downloads);
    modules(config, platform, App::builder(platform.app.clone()))
        .settings(config.app.clone())
        .runner(web)
        .runner(ManagementRole::new(config.management.clone()))
        .build()
}

/// The modules, each with the ports that it names.
pub fn modules(config: &Config, platform: &Platform, builder: AppBuilder) -> AppBuilder {
    let (app, audit) = (&platform.app, &platform.audit);
    let (database, clock, ids) = (app.database(), app.clock(), app.ids());
    let accounts = AccountsModule::new(AccountsPorts {
        database: database.clone(),
        sessions: platform.sessions.clone(),
        audit: Arc::clone(audit),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
        demo: config.has_demo(),
    });
    let customers = CustomersModule::new(CustomersPorts {
        database: database.clone(),
        audit: Arc::clone(audit),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    });
    let invoices = InvoicesModule::new(InvoicesPorts {
        database: database.clone(),
        customers: customers.api(),
        events: app.events(),
        inbox: Arc::clone(&platform.inbox),
        audit: Arc::clone(audit),
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
        audit: Arc::clone(audit),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    });
    builder.module(accounts).module(customers).module(invoices).module(notifications).module(reports)
}
